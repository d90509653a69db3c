"""Embedding, a table of vectors that are looked up by index."""

from __future__ import annotations

from typing import Any, Self

from minigrad import dtypes
from minigrad.autograd.tape import no_grad
from minigrad.creation import empty
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.embedding import check_dense, embedding, padding_row
from minigrad.tensor import Tensor


class Embedding(Module):
    """The vectors of a table `weight` at indices, such as those of words. See `functional.embedding`.

    Shapes: input (*) of int64 or int32 in [0, num_embeddings), result (*, embedding_dim); `weight`
    (num_embeddings, embedding_dim). It starts standard normal, and with zeros in the row `padding_idx`, which
    gets no gradient.

    Raises:
        AssertionError: `padding_idx` is outside [-num_embeddings, num_embeddings).
        IndexError: an index of the input is outside.
        NotImplementedError: `sparse` is True.

    Example:
        >>> import minigrad
        >>> from minigrad import nn
        >>> _ = minigrad.manual_seed(0)
        >>> layer = nn.Embedding(3, 2, padding_idx=0)
        >>> layer
        Embedding(3, 2, padding_idx=0)
        >>> layer(minigrad.tensor([0, 2]))
        tensor([[ 0.0000,  0.0000],
                [-1.0845, -1.3986]], grad_fn=<EmbeddingBackward0>)
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtypes.check_device(device)
        check_dense(sparse)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_row(padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        if _weight is None:
            table = empty(num_embeddings, embedding_dim, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        elif tuple(_weight.shape) != (num_embeddings, embedding_dim):
            raise AssertionError(
                "Shape of weight does not match num_embeddings and embedding_dim\n"
                f"Got {list(_weight.shape)} for {num_embeddings} and {embedding_dim}."
            )
        else:
            self.weight = Parameter(_weight, requires_grad=not _freeze)
        self.sparse = sparse

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """A layer with this table, which shares its memory; with `freeze` it is not trained.

        Raises:
            AssertionError: the table is no matrix.

        Example:
            >>> import minigrad
            >>> layer = minigrad.nn.Embedding.from_pretrained(minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]))
            >>> layer(minigrad.tensor([1]))
            tensor([[3., 4.]])
        """
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        entries, width = embeddings.shape
        options = max_norm, norm_type, scale_grad_by_freq, sparse
        return cls(entries, width, padding_idx, *options, _weight=embeddings, _freeze=freeze)

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, input: Tensor) -> Tensor:
        return embedding(
            *(input, self.weight, self.padding_idx, self.max_norm, self.norm_type),
            *(self.scale_grad_by_freq, self.sparse),
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        return text
