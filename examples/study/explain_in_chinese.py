"""A loss explained in Chinese: 交叉熵的每一步,前向与反向。"""

import minigrad as torch
from minigrad import nn, study

logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 2.0, 3.0]], requires_grad=True)
target = torch.tensor([0, 1, -100])
loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 4.0]))(logits, target)
print(study.explain(loss, lang="zh", torch=False).to_text(96))
