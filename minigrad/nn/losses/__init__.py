"""The losses: each a function, whose body is its definition, and a module."""

from minigrad.nn.losses.base import Loss as Loss
from minigrad.nn.losses.binary import BCELoss as BCELoss
from minigrad.nn.losses.binary import BCEWithLogitsLoss as BCEWithLogitsLoss
from minigrad.nn.losses.binary import binary_cross_entropy as binary_cross_entropy
from minigrad.nn.losses.binary import (
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
)
from minigrad.nn.losses.class_margin import MultiLabelMarginLoss as MultiLabelMarginLoss
from minigrad.nn.losses.class_margin import MultiLabelSoftMarginLoss as MultiLabelSoftMarginLoss
from minigrad.nn.losses.class_margin import MultiMarginLoss as MultiMarginLoss
from minigrad.nn.losses.class_margin import multi_margin_loss as multi_margin_loss
from minigrad.nn.losses.class_margin import multilabel_margin_loss as multilabel_margin_loss
from minigrad.nn.losses.class_margin import multilabel_soft_margin_loss as multilabel_soft_margin_loss
from minigrad.nn.losses.classification import CrossEntropyLoss as CrossEntropyLoss
from minigrad.nn.losses.classification import NLLLoss as NLLLoss
from minigrad.nn.losses.classification import NLLLoss2d as NLLLoss2d
from minigrad.nn.losses.classification import cross_entropy as cross_entropy
from minigrad.nn.losses.classification import nll_loss as nll_loss
from minigrad.nn.losses.distribution import GaussianNLLLoss as GaussianNLLLoss
from minigrad.nn.losses.distribution import KLDivLoss as KLDivLoss
from minigrad.nn.losses.distribution import PoissonNLLLoss as PoissonNLLLoss
from minigrad.nn.losses.distribution import gaussian_nll_loss as gaussian_nll_loss
from minigrad.nn.losses.distribution import kl_div as kl_div
from minigrad.nn.losses.distribution import poisson_nll_loss as poisson_nll_loss
from minigrad.nn.losses.embedding import CosineEmbeddingLoss as CosineEmbeddingLoss
from minigrad.nn.losses.embedding import TripletMarginLoss as TripletMarginLoss
from minigrad.nn.losses.embedding import TripletMarginWithDistanceLoss as TripletMarginWithDistanceLoss
from minigrad.nn.losses.embedding import cosine_embedding_loss as cosine_embedding_loss
from minigrad.nn.losses.embedding import triplet_margin_loss as triplet_margin_loss
from minigrad.nn.losses.embedding import (
    triplet_margin_with_distance_loss as triplet_margin_with_distance_loss,
)
from minigrad.nn.losses.margin import HingeEmbeddingLoss as HingeEmbeddingLoss
from minigrad.nn.losses.margin import MarginRankingLoss as MarginRankingLoss
from minigrad.nn.losses.margin import SoftMarginLoss as SoftMarginLoss
from minigrad.nn.losses.margin import hinge_embedding_loss as hinge_embedding_loss
from minigrad.nn.losses.margin import margin_ranking_loss as margin_ranking_loss
from minigrad.nn.losses.margin import soft_margin_loss as soft_margin_loss
from minigrad.nn.losses.regression import HuberLoss as HuberLoss
from minigrad.nn.losses.regression import L1Loss as L1Loss
from minigrad.nn.losses.regression import MSELoss as MSELoss
from minigrad.nn.losses.regression import SmoothL1Loss as SmoothL1Loss
from minigrad.nn.losses.regression import huber_loss as huber_loss
from minigrad.nn.losses.regression import l1_loss as l1_loss
from minigrad.nn.losses.regression import mse_loss as mse_loss
from minigrad.nn.losses.regression import smooth_l1_loss as smooth_l1_loss
from minigrad.nn.losses.sequence import CTCLoss as CTCLoss
from minigrad.nn.losses.sequence import ctc_loss as ctc_loss
