"""A model's state: its keys, saved and loaded, by name and by part."""

import os
import tempfile

import torch
import torch.nn as nn


class TheModelClass(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.fc1 = nn.Linear(16, 12)
        self.register_buffer("steps", torch.tensor(0))


torch.manual_seed(0)
model = TheModelClass()
optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
print("Model's state_dict:")
for param_tensor in model.state_dict():
    print(param_tensor, "\t", model.state_dict()[param_tensor].size())
print("Optimizer's state_dict:")
for var_name in optimizer.state_dict():
    print(var_name, "\t", optimizer.state_dict()[var_name])
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.pt")
    torch.save(model.state_dict(), path)
    other = TheModelClass()
    print(torch.equal(other.fc1.weight, model.fc1.weight))
    print(other.load_state_dict(torch.load(path)))
    print(torch.equal(other.fc1.weight, model.fc1.weight))
    checkpoint = {"epoch": 5, "model_state_dict": model.state_dict(), "loss": 0.25}
    torch.save(checkpoint, path)
    loaded = torch.load(path)
    print(loaded["epoch"], loaded["loss"], list(loaded["model_state_dict"])[:2])
state = model.state_dict()
del state["fc1.bias"]
state["extra"] = torch.zeros(1)
print(other.load_state_dict(state, strict=False))
try:
    other.load_state_dict(state)
except RuntimeError as error:
    print(error)
for parameter in model.fc1.parameters():
    parameter.requires_grad = False
print([name for name, p in model.named_parameters() if p.requires_grad])
