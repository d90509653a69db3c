"""torch.nn.functional's names: the functions behind the modules."""

from minigrad.missing import attribute_of as _attribute_of
from minigrad.nn.activations import elu as elu
from minigrad.nn.activations import hardtanh as hardtanh
from minigrad.nn.activations import leaky_relu as leaky_relu
from minigrad.nn.activations import mish as mish
from minigrad.nn.activations import relu as relu
from minigrad.nn.activations import relu6 as relu6
from minigrad.nn.activations import silu as silu
from minigrad.nn.activations import softsign as softsign
from minigrad.nn.activations import tanhshrink as tanhshrink
from minigrad.nn.batchnorm import batch_norm as batch_norm
from minigrad.nn.conv import conv1d as conv1d
from minigrad.nn.conv import conv2d as conv2d
from minigrad.nn.distance import cosine_similarity as cosine_similarity
from minigrad.nn.distance import normalize as normalize
from minigrad.nn.distance import pairwise_distance as pairwise_distance
from minigrad.nn.dropout import dropout as dropout
from minigrad.nn.embedding_bag import embedding_bag as embedding_bag
from minigrad.nn.groupnorm import group_norm as group_norm
from minigrad.nn.normalization import layer_norm as layer_norm
from minigrad.nn.normalization import rms_norm as rms_norm
from minigrad.nn.pooling import avg_pool2d as avg_pool2d
from minigrad.nn.pooling import max_pool2d as max_pool2d
from minigrad.ops.activation import gelu as gelu
from minigrad.ops.activation import logsigmoid as logsigmoid
from minigrad.ops.activation import sigmoid as sigmoid
from minigrad.ops.activation import softplus as softplus
from minigrad.ops.activation import tanh as tanh
from minigrad.ops.embedding import embedding as embedding
from minigrad.ops.indexing import one_hot as one_hot
from minigrad.ops.linear import linear as linear
from minigrad.ops.softmax import log_softmax as log_softmax
from minigrad.ops.softmax import softmax as softmax
from minigrad.ops.softmax import softmin as softmin

# isort: split
# ------------------------------------------------------------------------------------------- losses
from minigrad.nn.losses import binary_cross_entropy as binary_cross_entropy
from minigrad.nn.losses import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from minigrad.nn.losses import cosine_embedding_loss as cosine_embedding_loss
from minigrad.nn.losses import cross_entropy as cross_entropy
from minigrad.nn.losses import ctc_loss as ctc_loss
from minigrad.nn.losses import gaussian_nll_loss as gaussian_nll_loss
from minigrad.nn.losses import hinge_embedding_loss as hinge_embedding_loss
from minigrad.nn.losses import huber_loss as huber_loss
from minigrad.nn.losses import kl_div as kl_div
from minigrad.nn.losses import l1_loss as l1_loss
from minigrad.nn.losses import linear_cross_entropy as linear_cross_entropy
from minigrad.nn.losses import margin_ranking_loss as margin_ranking_loss
from minigrad.nn.losses import mse_loss as mse_loss
from minigrad.nn.losses import multi_margin_loss as multi_margin_loss
from minigrad.nn.losses import multilabel_margin_loss as multilabel_margin_loss
from minigrad.nn.losses import multilabel_soft_margin_loss as multilabel_soft_margin_loss
from minigrad.nn.losses import nll_loss as nll_loss
from minigrad.nn.losses import poisson_nll_loss as poisson_nll_loss
from minigrad.nn.losses import smooth_l1_loss as smooth_l1_loss
from minigrad.nn.losses import soft_margin_loss as soft_margin_loss
from minigrad.nn.losses import triplet_margin_loss as triplet_margin_loss
from minigrad.nn.losses import triplet_margin_with_distance_loss as triplet_margin_with_distance_loss

__getattr__ = _attribute_of(__name__, globals())
