"""The loss kernels: value and gradient in one pass.  Arrays in, arrays out.

Every function takes ``reduction`` and ``grad`` and returns ``(value, gradient)``: fresh arrays, the
value 0-d unless ``reduction="none"``, the gradient with respect to ``input`` for a cotangent of one
(so for "mean" it holds the divisor, for "none" it is each sample's own), None unless ``grad``.
They return NotImplemented where no kernel applies; nothing but class indices is checked.
"""

from .losses_class import (
    cross_entropy_indices,
    cross_entropy_probabilities,
    generalized_cross_entropy,
    nll,
    poly,
    raise_out_of_bounds,
    softmax_focal,
)
from .losses_cosine import cosine_embedding
from .losses_ctc import ctc
from .losses_extra import (
    hinge,
    jensen_shannon,
    log_cosh,
    percentage_error,
    quantile_error,
    sigmoid_focal,
    smooth_binary_cross_entropy_with_logits,
    squared_hinge,
    squared_log_error,
)
from .losses_linear import linear_cross_entropy
from .losses_margin import (
    first_outside,
    margin_ranking,
    multi_margin,
    multilabel_margin,
    multilabel_soft_margin,
    soft_margin,
)
from .losses_pairs import gaussian_nll, normal_divergence
from .losses_pointwise import (
    absolute_error,
    all_within,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    hinge_embedding,
    huber,
    kl_div,
    poisson_nll,
    smooth_l1,
    squared_error,
)
from .losses_triplet import triplet_margin

__all__ = [
    "absolute_error",
    "all_within",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding",
    "cross_entropy_indices",
    "cross_entropy_probabilities",
    "ctc",
    "first_outside",
    "gaussian_nll",
    "generalized_cross_entropy",
    "hinge",
    "hinge_embedding",
    "huber",
    "jensen_shannon",
    "kl_div",
    "linear_cross_entropy",
    "log_cosh",
    "margin_ranking",
    "multi_margin",
    "multilabel_margin",
    "multilabel_soft_margin",
    "nll",
    "normal_divergence",
    "percentage_error",
    "poisson_nll",
    "poly",
    "quantile_error",
    "raise_out_of_bounds",
    "sigmoid_focal",
    "smooth_binary_cross_entropy_with_logits",
    "smooth_l1",
    "soft_margin",
    "softmax_focal",
    "squared_error",
    "squared_hinge",
    "squared_log_error",
    "triplet_margin",
]
