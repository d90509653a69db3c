"""Layers, activations, containers and losses, under torch.nn's names."""

from minigrad.missing import attribute_of as _attribute_of
from minigrad.nn import functional as functional
from minigrad.nn import init as init
from minigrad.nn import utils as utils
from minigrad.nn.activations import ELU as ELU
from minigrad.nn.activations import GELU as GELU
from minigrad.nn.activations import Hardtanh as Hardtanh
from minigrad.nn.activations import LeakyReLU as LeakyReLU
from minigrad.nn.activations import LogSigmoid as LogSigmoid
from minigrad.nn.activations import LogSoftmax as LogSoftmax
from minigrad.nn.activations import Mish as Mish
from minigrad.nn.activations import ReLU as ReLU
from minigrad.nn.activations import ReLU6 as ReLU6
from minigrad.nn.activations import Sigmoid as Sigmoid
from minigrad.nn.activations import SiLU as SiLU
from minigrad.nn.activations import Softmax as Softmax
from minigrad.nn.activations import Softmin as Softmin
from minigrad.nn.activations import Softplus as Softplus
from minigrad.nn.activations import Softsign as Softsign
from minigrad.nn.activations import Tanh as Tanh
from minigrad.nn.activations import Tanhshrink as Tanhshrink
from minigrad.nn.batchnorm import BatchNorm1d as BatchNorm1d
from minigrad.nn.batchnorm import BatchNorm2d as BatchNorm2d
from minigrad.nn.cells import GRUCell as GRUCell
from minigrad.nn.cells import LSTMCell as LSTMCell
from minigrad.nn.cells import RNNCell as RNNCell
from minigrad.nn.container import ModuleDict as ModuleDict
from minigrad.nn.container import ModuleList as ModuleList
from minigrad.nn.container import ParameterDict as ParameterDict
from minigrad.nn.container import ParameterList as ParameterList
from minigrad.nn.container import Sequential as Sequential
from minigrad.nn.conv import Conv1d as Conv1d
from minigrad.nn.conv import Conv2d as Conv2d
from minigrad.nn.distance import CosineSimilarity as CosineSimilarity
from minigrad.nn.distance import PairwiseDistance as PairwiseDistance
from minigrad.nn.dropout import Dropout as Dropout
from minigrad.nn.embedding import Embedding as Embedding
from minigrad.nn.embedding_bag import EmbeddingBag as EmbeddingBag
from minigrad.nn.groupnorm import GroupNorm as GroupNorm
from minigrad.nn.linear import Flatten as Flatten
from minigrad.nn.linear import Identity as Identity
from minigrad.nn.linear import Linear as Linear
from minigrad.nn.module import Module as Module
from minigrad.nn.normalization import LayerNorm as LayerNorm
from minigrad.nn.normalization import RMSNorm as RMSNorm
from minigrad.nn.parameter import Parameter as Parameter
from minigrad.nn.pooling import AvgPool2d as AvgPool2d
from minigrad.nn.pooling import MaxPool2d as MaxPool2d
from minigrad.nn.recurrent import GRU as GRU
from minigrad.nn.recurrent import LSTM as LSTM
from minigrad.nn.recurrent import RNN as RNN

# isort: split
# ------------------------------------------------------------------------------------------- losses
from minigrad.nn.losses import AdaptiveLogSoftmaxWithLoss as AdaptiveLogSoftmaxWithLoss
from minigrad.nn.losses import BCELoss as BCELoss
from minigrad.nn.losses import BCEWithLogitsLoss as BCEWithLogitsLoss
from minigrad.nn.losses import CosineEmbeddingLoss as CosineEmbeddingLoss
from minigrad.nn.losses import CrossEntropyLoss as CrossEntropyLoss
from minigrad.nn.losses import CTCLoss as CTCLoss
from minigrad.nn.losses import GaussianNLLLoss as GaussianNLLLoss
from minigrad.nn.losses import HingeEmbeddingLoss as HingeEmbeddingLoss
from minigrad.nn.losses import HuberLoss as HuberLoss
from minigrad.nn.losses import KLDivLoss as KLDivLoss
from minigrad.nn.losses import L1Loss as L1Loss
from minigrad.nn.losses import LinearCrossEntropyLoss as LinearCrossEntropyLoss
from minigrad.nn.losses import LinearCrossEntropyOptions as LinearCrossEntropyOptions
from minigrad.nn.losses import MarginRankingLoss as MarginRankingLoss
from minigrad.nn.losses import MSELoss as MSELoss
from minigrad.nn.losses import MultiLabelMarginLoss as MultiLabelMarginLoss
from minigrad.nn.losses import MultiLabelSoftMarginLoss as MultiLabelSoftMarginLoss
from minigrad.nn.losses import MultiMarginLoss as MultiMarginLoss
from minigrad.nn.losses import NLLLoss as NLLLoss
from minigrad.nn.losses import NLLLoss2d as NLLLoss2d
from minigrad.nn.losses import PoissonNLLLoss as PoissonNLLLoss
from minigrad.nn.losses import SmoothL1Loss as SmoothL1Loss
from minigrad.nn.losses import SoftMarginLoss as SoftMarginLoss
from minigrad.nn.losses import TripletMarginLoss as TripletMarginLoss
from minigrad.nn.losses import TripletMarginWithDistanceLoss as TripletMarginWithDistanceLoss

# isort: split
from minigrad.nn import extra as extra

__getattr__ = _attribute_of(__name__, globals())
