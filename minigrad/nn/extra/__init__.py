"""Losses that torch lacks: each a function, whose body is its definition, and a module."""

from minigrad.nn.extra.angular import ArcFaceLoss as ArcFaceLoss
from minigrad.nn.extra.angular import CosFaceLoss as CosFaceLoss
from minigrad.nn.extra.angular import arc_face_loss as arc_face_loss
from minigrad.nn.extra.angular import cos_face_loss as cos_face_loss
from minigrad.nn.extra.binary import SigmoidFocalLoss as SigmoidFocalLoss
from minigrad.nn.extra.binary import SmoothBCEWithLogitsLoss as SmoothBCEWithLogitsLoss
from minigrad.nn.extra.binary import sigmoid_focal_loss as sigmoid_focal_loss
from minigrad.nn.extra.binary import (
    smooth_binary_cross_entropy_with_logits as smooth_binary_cross_entropy_with_logits,
)
from minigrad.nn.extra.classification import GeneralizedCrossEntropyLoss as GeneralizedCrossEntropyLoss
from minigrad.nn.extra.classification import PolyLoss as PolyLoss
from minigrad.nn.extra.classification import SoftmaxFocalLoss as SoftmaxFocalLoss
from minigrad.nn.extra.classification import (
    generalized_cross_entropy as generalized_cross_entropy,
)
from minigrad.nn.extra.classification import poly_loss as poly_loss
from minigrad.nn.extra.classification import softmax_focal_loss as softmax_focal_loss
from minigrad.nn.extra.contrastive import ContrastiveLoss as ContrastiveLoss
from minigrad.nn.extra.contrastive import InfoNCELoss as InfoNCELoss
from minigrad.nn.extra.contrastive import NTXentLoss as NTXentLoss
from minigrad.nn.extra.contrastive import SupConLoss as SupConLoss
from minigrad.nn.extra.contrastive import contrastive_loss as contrastive_loss
from minigrad.nn.extra.contrastive import info_nce_loss as info_nce_loss
from minigrad.nn.extra.contrastive import nt_xent_loss as nt_xent_loss
from minigrad.nn.extra.contrastive import sup_con_loss as sup_con_loss
from minigrad.nn.extra.distribution import FenchelYoungLoss as FenchelYoungLoss
from minigrad.nn.extra.distribution import GaussianKLLoss as GaussianKLLoss
from minigrad.nn.extra.distribution import JensenShannonLoss as JensenShannonLoss
from minigrad.nn.extra.distribution import SparsemaxLoss as SparsemaxLoss
from minigrad.nn.extra.distribution import fenchel_young_loss as fenchel_young_loss
from minigrad.nn.extra.distribution import gaussian_kl_loss as gaussian_kl_loss
from minigrad.nn.extra.distribution import jensen_shannon_loss as jensen_shannon_loss
from minigrad.nn.extra.distribution import sparsemax as sparsemax
from minigrad.nn.extra.distribution import sparsemax_loss as sparsemax_loss
from minigrad.nn.extra.lovasz import LovaszHingeLoss as LovaszHingeLoss
from minigrad.nn.extra.lovasz import LovaszSoftmaxLoss as LovaszSoftmaxLoss
from minigrad.nn.extra.lovasz import lovasz_hinge_loss as lovasz_hinge_loss
from minigrad.nn.extra.lovasz import lovasz_softmax_loss as lovasz_softmax_loss
from minigrad.nn.extra.margin import HingeLoss as HingeLoss
from minigrad.nn.extra.margin import MultiClassHingeLoss as MultiClassHingeLoss
from minigrad.nn.extra.margin import SquaredHingeLoss as SquaredHingeLoss
from minigrad.nn.extra.margin import hinge_loss as hinge_loss
from minigrad.nn.extra.margin import multi_class_hinge_loss as multi_class_hinge_loss
from minigrad.nn.extra.margin import squared_hinge_loss as squared_hinge_loss
from minigrad.nn.extra.pairs import CircleLoss as CircleLoss
from minigrad.nn.extra.pairs import MultiSimilarityLoss as MultiSimilarityLoss
from minigrad.nn.extra.pairs import circle_loss as circle_loss
from minigrad.nn.extra.pairs import multi_similarity_loss as multi_similarity_loss
from minigrad.nn.extra.regression import LogCoshLoss as LogCoshLoss
from minigrad.nn.extra.regression import MAPELoss as MAPELoss
from minigrad.nn.extra.regression import MSLELoss as MSLELoss
from minigrad.nn.extra.regression import QuantileLoss as QuantileLoss
from minigrad.nn.extra.regression import log_cosh_loss as log_cosh_loss
from minigrad.nn.extra.regression import mape_loss as mape_loss
from minigrad.nn.extra.regression import msle_loss as msle_loss
from minigrad.nn.extra.regression import quantile_loss as quantile_loss
from minigrad.nn.extra.segmentation import DiceLoss as DiceLoss
from minigrad.nn.extra.segmentation import JaccardLoss as JaccardLoss
from minigrad.nn.extra.segmentation import TverskyLoss as TverskyLoss
from minigrad.nn.extra.segmentation import dice_loss as dice_loss
from minigrad.nn.extra.segmentation import jaccard_loss as jaccard_loss
from minigrad.nn.extra.segmentation import tversky_loss as tversky_loss
