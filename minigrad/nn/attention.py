"""Attention: weighted means of values, the weights from products of queries and keys."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.autograd.fused import fused
from minigrad.creation import empty, zeros
from minigrad.nn import init
from minigrad.nn.dropout import dropout
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.elementwise import where
from minigrad.ops.indexing import masked_fill
from minigrad.ops.joining import cat, chunk
from minigrad.ops.linear import linear
from minigrad.ops.shape import expand, swap_last
from minigrad.ops.softmax import softmax
from minigrad.tensor import Tensor


# ------------------------------------------------------------------------------ as a function
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(query keyᵀ scale + mask) value, the values' means for each query.

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, V); the result is (..., L, V).
        attn_mask: broadcasts to (..., L, S): bool, False where a query may not look, or added to the scores.
        dropout_p: with which probability a weight is dropped; whether in training or not.
        is_causal: the query at place i looks at the first i + 1 keys only.
        scale: by default 1 / sqrt(E).

    A query that may look nowhere gets zeros.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or there is a mask and `is_causal`.

    Source: A. Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Example:
        >>> import minigrad
        >>> x = minigrad.tensor([[[0.0, 1.0], [1.0, 0.0]]])
        >>> minigrad.nn.functional.scaled_dot_product_attention(x, x, x)
        tensor([[[0.3302, 0.6698],
                 [0.6698, 0.3302]]])
    """
    _check_attention(query, key, value, attn_mask, is_causal)
    if not 0.0 <= dropout_p <= 1.0:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p:g}")
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    if is_causal:
        attn_mask = Tensor._wrap(np.tri(query.shape[-2], key.shape[-2], dtype=bool))
    if query.ndim == 4 and dropout_p == 0:
        return _flash(query, key, value, attn_mask, scale)
    return _attended(query, key, value, attn_mask, scale, dropout_p)


def _attended(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float, dropout_p: float = 0.0
) -> Tensor:
    scores = query @ swap_last(key) * scale
    if mask is None:
        return dropout(softmax(scores, -1), dropout_p) @ value
    if mask.dtype is dtypes.bool:
        mask = where(mask, Tensor._wrap(np.zeros((), scores._array.dtype)), -math.inf)
    scores = scores + mask
    nowhere = Tensor._wrap(np.all(scores._array == -np.inf, axis=-1, keepdims=True))
    weights = masked_fill(softmax(masked_fill(scores, nowhere, 0.0), -1), nowhere, 0.0)
    return dropout(weights, dropout_p) @ value


@fused(grad_name="ScaledDotProductFlashAttentionForCpuBackward0")
def _flash(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    """The same under the name of torch's kernel for four dimensions."""
    return _attended(query, key, value, mask, scale)


def _check_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool) -> None:
    kinds = [str(x.dtype).removeprefix("torch.").replace("float64", "double") for x in (query, key, value)]
    kinds = [kind.replace("float32", "float").replace("int64", "long int") for kind in kinds]
    if len(set(kinds)) > 1:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {kinds[0]} "
            f"key.dtype: {kinds[1]} and value.dtype: {kinds[2]} instead."
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if mask is None:
        return
    if mask.dtype not in (dtypes.bool, query.dtype, dtypes.float32):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{str(mask.dtype).removeprefix('torch.').replace('int64', 'long int')} and  query.dtype: "
            f"{kinds[0]} instead."
        )
    if causal:
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )


# ---------------------------------------------------------------------------------- as a module
class NonDynamicallyQuantizableLinear(Linear):
    """A Linear, under the name that torch prints for the last layer of attention."""


class MultiheadAttention(Module):
    """Attention by several heads, each in a space of its own: concat(head_1, ..., head_h) Woᵀ + bo.

    Shapes: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), with `batch_first` (N, L, ...),
    or without N; result as the query, and the weights (N, L, S), of each head with
    `average_attn_weights=False` (N, num_heads, L, S), None with `need_weights=False`.

    Raises:
        AssertionError: `embed_dim` is not divisible by `num_heads`, or shapes do not fit.
        ValueError: `embed_dim` or `num_heads` is not positive.
        RuntimeError: a mask has the wrong shape.

    Source: A. Vaswani et al., "Attention is all you need", NeurIPS 2017.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> attention = nn.MultiheadAttention(8, 2, batch_first=True)
        >>> x = minigrad.zeros(3, 5, 8)
        >>> result, weights = attention(x, x, x)
        >>> result.shape, weights.shape
        (torch.Size([3, 5, 8]), torch.Size([3, 5, 5]))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        one = self.kdim == embed_dim and self.vdim == embed_dim
        sizes = {
            "q_proj_weight": None if one else (embed_dim, embed_dim),
            "k_proj_weight": None if one else (embed_dim, self.kdim),
            "v_proj_weight": None if one else (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim) if one else None,
            "in_proj_bias": (3 * embed_dim,) if bias else None,
        }
        for name, size in sizes.items():
            self.register_parameter(name, None if size is None else Parameter(empty(*size, dtype=dtype)))
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        for name in ("bias_k", "bias_v"):
            made = Parameter(empty(1, 1, embed_dim, dtype=dtype)) if add_bias_kv else None
            self.register_parameter(name, made)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw the weights anew."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The result, and the weights or None.

        Args:
            query, key, value: see the class.
            key_padding_mask: (N, S), True where a key is padding, or numbers to add to the scores.
            need_weights: whether to return the weights.
            attn_mask: (L, S) or (N num_heads, L, S), True where a query may not look, or numbers to add.
            average_attn_weights: return the mean of the heads' weights instead of all.
            is_causal: a hint that `attn_mask` is the causal mask.
        """
        if is_causal and attn_mask is None:
            raise RuntimeError(
                "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
                "`generate_square_subsequent_mask` to create this mask."
            )
        batched = self._check_shapes(query, key, value, key_padding_mask)
        same = query is key, key is value
        if not batched:
            query, key, value = (x.unsqueeze(1) for x in (query, key, value))
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif self.batch_first:
            query, key, value = (x.transpose(1, 0) for x in (query, key, value))
        length, count = query.shape[:2]
        padding, mask = _added(key_padding_mask, query), self._checked(attn_mask, query, key)
        q, k, v = self._projected(query, key, value, *same)
        if self.bias_k is not None and self.bias_v is not None:
            k = cat([k, expand(self.bias_k, 1, count, self.embed_dim)])
            v = cat([v, expand(self.bias_v, 1, count, self.embed_dim)])
        q, k, v = (self._heads(x) for x in (q, k, v))
        if self.add_zero_attn:
            nothing = zeros(*k.shape[:2], 1, self.head_dim, dtype=k.dtype)
            k, v = cat([k, nothing], 2), cat([v, nothing], 2)
        places = k.shape[2]
        if mask is not None:
            mask = _widened(mask, places)
            mask = mask.reshape(count, self.num_heads, length, places) if mask.ndim == 3 else mask
        if padding is not None:
            padding = _widened(padding, places).reshape(count, 1, 1, places)
            mask = padding if mask is None else mask + padding
        result, weights = self._attend(q, k, v, mask, need_weights)
        result = result.permute(2, 0, 1, 3).reshape(length * count, self.embed_dim)
        result = linear(result, self.out_proj.weight, self.out_proj.bias).view(length, count, self.embed_dim)
        if weights is not None:
            weights = weights.mean(dim=1) if average_attn_weights else weights.view(weights.shape)
            weights = weights if batched else weights.squeeze(0)
        if not batched:
            return result.squeeze(1), weights
        return result.transpose(1, 0) if self.batch_first else result, weights

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Any, wanted: bool) -> tuple[Tensor, Any]:
        """The heads' results (N, heads, L, head_dim), and their weights where they are wanted."""
        rate = self.dropout if self.training else 0.0
        if not wanted:
            return scaled_dot_product_attention(q, k, v, mask, rate), None
        scores = q * math.sqrt(1.0 / self.head_dim) @ swap_last(k)
        weights = softmax(scores if mask is None else mask + scores, -1)
        weights = dropout(weights, rate)
        return weights @ v, weights

    def _heads(self, x: Tensor) -> Tensor:
        """(S, N, embed_dim) as (N, heads, S, head_dim)."""
        split: Tensor = x.reshape(*x.shape[:2], self.num_heads, self.head_dim).permute(1, 2, 0, 3)
        return split

    def _projected(
        self, query: Tensor, key: Tensor, value: Tensor, query_is_key: bool, key_is_value: bool
    ) -> Any:
        """Queries, keys and values of all heads, each (length, N, embed_dim)."""
        if query_is_key and key_is_value and self.in_proj_weight is not None:
            return chunk(linear(query, self.in_proj_weight, self.in_proj_bias), 3, -1)
        weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        if self.in_proj_weight is not None:
            weights = chunk(self.in_proj_weight, 3)
        biases = (None,) * 3 if self.in_proj_bias is None else chunk(self.in_proj_bias, 3)
        inputs = (query, key, value)
        return [linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True)]

    def _check_shapes(self, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None) -> bool:
        """Whether the input is a batch."""
        if query.ndim not in (2, 3):
            raise AssertionError(
                f"query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query tensor"
            )
        kind = "batched (3-D)" if query.ndim == 3 else "unbatched (2-D)"
        if key.ndim != query.ndim or value.ndim != query.ndim:
            raise AssertionError(
                f"For {kind} `query`, expected `key` and `value` to be {query.ndim}-D but found {key.ndim}-D "
                f"and {value.ndim}-D tensors respectively"
            )
        if padding is not None and padding.ndim != query.ndim - 1:
            raise AssertionError(
                f"For {kind} `query`, expected `key_padding_mask` to be `None` or {query.ndim - 1}-D but "
                f"found {padding.ndim}-D tensor instead"
            )
        if query.shape[-1] != self.embed_dim:
            raise AssertionError(
                f"was expecting embedding dimension of {self.embed_dim}, but got {query.shape[-1]}"
            )
        if self.in_proj_weight is not None and key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        if key.shape[:-1] != value.shape[:-1]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:-1]} do not match value's {value.shape[:-1]}"
            )
        return query.ndim == 3

    def _checked(self, mask: Tensor | None, query: Tensor, key: Tensor) -> Tensor | None:
        """The mask to add, (L, S) or (N num_heads, L, S)."""
        if mask is None:
            return None
        size: tuple[int, ...] = (query.shape[0], key.shape[0])
        if mask.ndim not in (2, 3):
            raise RuntimeError(f"attn_mask's dimension {mask.ndim} is not supported")
        if mask.ndim == 3:
            size = (query.shape[1] * self.num_heads, *size)
        if tuple(mask.shape) != size:
            raise RuntimeError(
                f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be {size}."
            )
        return _added(mask, query, "attn_mask")


def _added(mask: Tensor | None, like: Tensor, name: str = "key_padding_mask") -> Tensor | None:
    """A mask as numbers to add: -inf where it is True."""
    if mask is None or mask.is_floating_point():
        return mask
    if mask.dtype is not dtypes.bool:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    return Tensor._wrap(np.where(mask._array, -np.inf, 0).astype(like._array.dtype))


def _widened(mask: Tensor, places: int) -> Tensor:
    """The mask with zeros for keys that were added."""
    missing = places - mask.shape[-1]
    if not missing:
        return mask
    return Tensor._wrap(np.pad(mask._array, [(0, 0)] * (mask.ndim - 1) + [(0, missing)]))
