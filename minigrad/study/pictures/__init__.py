"""Pictures of losses, gradients and trainings (matplotlib, the extra "plot")."""

from minigrad.study.pictures.curves import plot_loss as plot_loss
from minigrad.study.pictures.gallery import gallery as gallery
from minigrad.study.pictures.simplex import plot_simplex as plot_simplex
