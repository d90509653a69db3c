"""The Chinese of explanations, by their English sentences.

Terms: logits, softmax and sigmoid stay; target 目标, loss 损失, gradient 梯度, divisor 除数, sample 样本,
weight 权重, definition 定义, kernel 内核, central differences 中心差分, kink 折点, margin 间隔 (its name `margin` stays), cotangent ḡ.
"""

from minigrad.study.chinese.extra import EXTRA
from minigrad.study.chinese.interface import INTERFACE
from minigrad.study.chinese.losses import LOSSES

CHINESE: dict[str, str] = {**INTERFACE, **LOSSES, **EXTRA}
