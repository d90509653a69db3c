"""The losses: each a function, whose body is its definition, and a module.

Where we differ from torch
--------------------------
Names, arguments, defaults, reductions, kinks, error classes and the first line of every message are torch's. The
rest is this, a row and a test each (torch 2.13):

| what | torch | minigrad |
|---|---|---|
| targets | one dtype for each loss: int64 indices, float probabilities; tensors only | any integer type, bools, lists and NumPy arrays, where the meaning is clear |
| options out of range | found at the first call; a `label_smoothing` below 0 counts as 0 | refused when the module is made |
| messages | one line | torch's line, then the shapes or the offending values and places, and what to type |
| broadcasting | a warning in L1, MSE, SmoothL1 and Huber; silent in the others | the same warning in all elementwise losses |
| Huber's dtype | the input's, whatever the target's; integer targets fail in backward | promoted as in the other losses |
| 0 times -inf | nan, where a class without probability has a logit of -inf | 0: what has no mass costs nothing |
| infinite logits | nan, also for an infinitely right answer | the limit: loss and gradient are 0 there |
| SoftMargin far out | inf, and a nan gradient, beyond 88.7 | exact at any score |
| confident samples | log(sum) and softmax - 1 lose their digits: losses and gradients become 0 | computed from what the other classes leave |
| parallel vectors | 1 - cos loses its digits in CosineEmbedding | computed from the difference of the directions |
| where and log | 0 times an infinite derivative is nan | a zero cotangent gives a zero gradient; `autograd.set_nan_policy("torch")` restores nan |
| empty batches | uninitialised memory in MultiMargin and MultiLabelMargin | nan for the mean and 0 for the sum, as in the other losses |
| CTC's labels | read out of bounds where no class, taken as they are where blank | refused, with their value and place |
| CTC without an alignment | the gradient is nan | the loss is inf as in torch, its gradient 0 |
| CTC's gradient | that through log_softmax, which is not the derivative of the value | the same; the derivative with `exact=True` |
| second derivatives | none of MultiMargin, MultiLabelMargin, CTC | of every loss, to any order |
| gradients of weights | none of class weights, of BCE's weight and pos_weight | wherever a loss depends on them |
| linear cross entropy | one backward when it works in chunks | as many as wanted, and `create_graph` |
| all samples ignored | the mean is nan, silently | the same, and once a hint that says why |
| z-loss and soft cap | not there | keywords `z_loss` and `softcap` of cross entropy |
"""

from minigrad.nn.losses.adaptive import AdaptiveLogSoftmaxWithLoss as AdaptiveLogSoftmaxWithLoss
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
from minigrad.nn.losses.linear_cross_entropy import LinearCrossEntropyLoss as LinearCrossEntropyLoss
from minigrad.nn.losses.linear_cross_entropy import (
    LinearCrossEntropyOptions as LinearCrossEntropyOptions,
)
from minigrad.nn.losses.linear_cross_entropy import linear_cross_entropy as linear_cross_entropy
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
