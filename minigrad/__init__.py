from minigrad.tensor import Tensor
from minigrad.creation import *
from minigrad.random import *
from minigrad.dtypes import *
from minigrad.ops.elementwise import *
from minigrad import autograd
