"""Pictures of losses, gradients and trainings (matplotlib, the extra "plot")."""

from minigrad.study.pictures.boundary import plot_boundary as plot_boundary
from minigrad.study.pictures.curves import plot_loss as plot_loss
from minigrad.study.pictures.flow import plot_gradient_flow as plot_gradient_flow
from minigrad.study.pictures.gallery import gallery as gallery
from minigrad.study.pictures.histograms import Recorder as Recorder
from minigrad.study.pictures.histograms import plot_histograms as plot_histograms
from minigrad.study.pictures.history import plot_history as plot_history
from minigrad.study.pictures.landscape import plot_landscape as plot_landscape
from minigrad.study.pictures.simplex import plot_simplex as plot_simplex
