"""Special functions, under the names of torch.special."""

from minigrad.missing import attribute_of as _attribute_of
from minigrad.ops.activation import sigmoid as expit
from minigrad.ops.elementwise import expm1 as expm1
from minigrad.ops.elementwise import log1p as log1p
from minigrad.ops.logarithms import entr as entr
from minigrad.ops.logarithms import exp2 as exp2
from minigrad.ops.logarithms import logit as logit
from minigrad.ops.logarithms import xlog1py as xlog1py
from minigrad.ops.logarithms import xlogy as xlogy
from minigrad.ops.softmax import log_softmax as log_softmax
from minigrad.ops.softmax import logsumexp as logsumexp
from minigrad.ops.softmax import softmax as softmax
from minigrad.ops.special import digamma as digamma
from minigrad.ops.special import digamma as psi
from minigrad.ops.special import erf as erf
from minigrad.ops.special import erfc as erfc
from minigrad.ops.special import erfinv as erfinv
from minigrad.ops.special import i0 as i0
from minigrad.ops.special import i1 as i1
from minigrad.ops.special import lgamma as gammaln
from minigrad.ops.special import polygamma as polygamma
from minigrad.ops.trigonometry import sinc as sinc

__getattr__ = _attribute_of(__name__, globals())
