"""Where selection and sorting leave elements that tie: the algorithms that torch's kernels run, step by step.

`sort`, `topk`, `kthvalue` and `mode` return places among equals which only the algorithm decides: C++'s
standard ones as GNU's library has them (Musser's introsort and introselect, heaps), and a quickselect. They
are wanted for rows with ties alone; NumPy sorts all others.

In the kernels `a` holds places, to be brought into order from `first` up to `last`, and `rank[place]` is what
is compared.
"""

# The types of a kernel's arguments are inferred when it is compiled.
# mypy: allow-untyped-defs, no-check-untyped-defs

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import kernel

Array = NDArray[Any]

_SHORT = 16  # what introsort leaves to insertion


@kernel
def _median(a, rank, i, j, k):
    x, y, z = rank[a[i]], rank[a[j]], rank[a[k]]
    if x < y:
        if y < z:
            return j
        return k if x < z else i
    if x < z:
        return i
    return k if y < z else j


@kernel
def _partition(a, rank, first, last):
    """Part the range at the median of three, which goes to its front; where the upper part begins."""
    middle = _median(a, rank, first + 1, first + (last - first) // 2, last - 1)
    a[first], a[middle] = a[middle], a[first]
    pivot = rank[a[first]]
    first += 1
    while True:
        while rank[a[first]] < pivot:
            first += 1
        last -= 1
        while pivot < rank[a[last]]:
            last -= 1
        if first >= last:
            return first
        a[first], a[last] = a[last], a[first]
        first += 1


@kernel
def _insert(a, rank, first, last, start):
    """Move each element from `start` on down past those above it."""
    for i in range(start, last):
        value, to = a[i], i
        while to > first and rank[value] < rank[a[to - 1]]:
            a[to] = a[to - 1]
            to -= 1
        a[to] = value


@kernel
def _sift(a, rank, first, hole, size, value):
    """In a heap, the largest at its front, move a hole down to a leaf, then the value up from there."""
    top, child = hole, hole
    while child < (size - 1) // 2:
        child = 2 * child + 2
        if rank[a[first + child]] < rank[a[first + child - 1]]:
            child -= 1
        a[first + hole] = a[first + child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * child + 1
        a[first + hole] = a[first + child]
        hole = child
    while hole > top and rank[a[first + (hole - 1) // 2]] < rank[value]:
        a[first + hole] = a[first + (hole - 1) // 2]
        hole = (hole - 1) // 2
    a[first + hole] = value


@kernel
def _pop_heap(a, rank, first, last, to):
    """Take the front out of the heap to a place, whose element goes in."""
    value = a[to]
    a[to] = a[first]
    _sift(a, rank, first, 0, last - first, value)


@kernel
def _heap_select(a, rank, first, middle, last):
    """Gather the smallest in a heap of the first few."""
    size = middle - first
    for k in range(size // 2):
        parent = size // 2 - 1 - k
        _sift(a, rank, first, parent, size, a[first + parent])
    for i in range(middle, last):
        if rank[a[i]] < rank[a[first]]:
            _pop_heap(a, rank, first, middle, i)


@kernel
def _sort_heap(a, rank, first, last):
    for k in range(last - first - 1):
        _pop_heap(a, rank, first, last - 1 - k, last - 1 - k)


@kernel
def _depth(n):
    """How often a range may be parted before a heap takes over."""
    depth = 0
    while n > 1:
        n //= 2
        depth += 2
    return depth


@kernel
def _sort(a, rank, last):
    """std::sort of the first `last` elements."""
    waiting = np.empty((_depth(last) + 1, 3), np.int64)  # the upper parts, with what is left of the depth
    waiting[0, 0], waiting[0, 1], waiting[0, 2] = 0, last, _depth(last)
    count = 1
    while count:
        count -= 1
        first, end, depth = waiting[count, 0], waiting[count, 1], waiting[count, 2]
        while end - first > _SHORT and depth:
            depth -= 1
            cut = _partition(a, rank, first, end)
            waiting[count, 0], waiting[count, 1], waiting[count, 2] = cut, end, depth
            count += 1
            end = cut
        if end - first > _SHORT:
            _heap_select(a, rank, first, end, end)
            _sort_heap(a, rank, first, end)
    _insert(a, rank, 0, last, 1)


@kernel
def _nth_element(a, rank, nth, last):
    """std::nth_element: the smallest `nth` in front of the next."""
    first, depth = 0, _depth(last)
    while last - first > 3:
        if depth == 0:
            _heap_select(a, rank, first, nth + 1, last)
            a[first], a[nth] = a[nth], a[first]
            return
        depth -= 1
        cut = _partition(a, rank, first, last)
        if cut <= nth:
            first = cut
        else:
            last = cut
    _insert(a, rank, first, last, first + 1)


@kernel
def _order_two(a, rank, i, j):
    if rank[a[i]] > rank[a[j]]:
        a[i], a[j] = a[j], a[i]


@kernel
def _quickselect(a, rank, k, last):
    """The k-th smallest to place k, as torch's kthvalue brings it there."""
    left, right = 0, last - 1
    while right > left + 1:
        middle = left + (right - left) // 2
        a[middle], a[left + 1] = a[left + 1], a[middle]
        _order_two(a, rank, left + 1, right)
        _order_two(a, rank, left, right)
        _order_two(a, rank, left + 1, left)
        i, j, pivot = left + 1, right, rank[a[left]]
        while True:
            i, j = i + 1, j - 1
            while pivot > rank[a[i]]:
                i += 1
            while rank[a[j]] > pivot:
                j -= 1
            if j < i:
                break
            a[i], a[j] = a[j], a[i]
        a[left], a[j] = a[j], a[left]
        if j <= k:
            left = i
        if j >= k:
            right = j - 1
    if right == left + 1:
        _order_two(a, rank, left, right)


@kernel
def _sort_rows(a, rank):
    for row in range(len(a)):
        _sort(a[row], rank[row], a.shape[1])


@kernel
def _select_rows(a, rank, k, ordered):
    n = a.shape[1]
    for row in range(len(a)):
        if k * 64 <= n:
            _heap_select(a[row], rank[row], 0, k, n)
            _sort_heap(a[row], rank[row], 0, k)
        else:
            _nth_element(a[row], rank[row], k - 1, n)
            if ordered:
                _sort(a[row], rank[row], k - 1)


@kernel
def _quickselect_rows(a, rank, k):
    for row in range(len(a)):
        _quickselect(a[row], rank[row], k, a.shape[1])


def _places(rank: Array) -> Array:
    """The places 0, 1, ... for each row."""
    return np.tile(np.arange(rank.shape[1]), (len(rank), 1))


def sorted_places(rank: Array) -> Array:
    """The places in ascending order of their ranks, int64 (rows, n), as std::sort leaves them."""
    a = _places(rank)
    _sort_rows(a, rank)
    return a


def first_places(rank: Array, k: int, ordered: bool) -> Array:
    """The places (rows, k) of the k smallest ranks, in order or not, as topk finds them."""
    a = _places(rank)
    _select_rows(a, rank, k, ordered)
    return a[:, :k]


def kth_place(rank: Array, k: int) -> Array:
    """The place (rows, 1) of the k-th smallest rank, from 0, as kthvalue finds it."""
    a = _places(rank)
    _quickselect_rows(a, rank, k)
    return a[:, k : k + 1]
