"""Losses that torch lacks: each a function, whose body is its definition, and a module."""

from minigrad.nn.extra.angular import ArcFaceLoss as ArcFaceLoss
from minigrad.nn.extra.angular import CosFaceLoss as CosFaceLoss
from minigrad.nn.extra.angular import arc_face_loss as arc_face_loss
from minigrad.nn.extra.angular import cos_face_loss as cos_face_loss
from minigrad.nn.extra.contrastive import ContrastiveLoss as ContrastiveLoss
from minigrad.nn.extra.contrastive import InfoNCELoss as InfoNCELoss
from minigrad.nn.extra.contrastive import NTXentLoss as NTXentLoss
from minigrad.nn.extra.contrastive import SupConLoss as SupConLoss
from minigrad.nn.extra.contrastive import contrastive_loss as contrastive_loss
from minigrad.nn.extra.contrastive import info_nce_loss as info_nce_loss
from minigrad.nn.extra.contrastive import nt_xent_loss as nt_xent_loss
from minigrad.nn.extra.contrastive import sup_con_loss as sup_con_loss
from minigrad.nn.extra.lovasz import LovaszHingeLoss as LovaszHingeLoss
from minigrad.nn.extra.lovasz import LovaszSoftmaxLoss as LovaszSoftmaxLoss
from minigrad.nn.extra.lovasz import lovasz_hinge_loss as lovasz_hinge_loss
from minigrad.nn.extra.lovasz import lovasz_softmax_loss as lovasz_softmax_loss
from minigrad.nn.extra.pairs import CircleLoss as CircleLoss
from minigrad.nn.extra.pairs import MultiSimilarityLoss as MultiSimilarityLoss
from minigrad.nn.extra.pairs import circle_loss as circle_loss
from minigrad.nn.extra.pairs import multi_similarity_loss as multi_similarity_loss
from minigrad.nn.extra.segmentation import DiceLoss as DiceLoss
from minigrad.nn.extra.segmentation import JaccardLoss as JaccardLoss
from minigrad.nn.extra.segmentation import TverskyLoss as TverskyLoss
from minigrad.nn.extra.segmentation import dice_loss as dice_loss
from minigrad.nn.extra.segmentation import jaccard_loss as jaccard_loss
from minigrad.nn.extra.segmentation import tversky_loss as tversky_loss
