"""A convolutional network on images of bars, its layers, its gradients, its training."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 8, 3)
        self.fc1 = nn.Linear(8 * 2 * 2, 24)
        self.fc2 = nn.Linear(24, 2)

    def forward(self, input):
        c1 = F.relu(self.conv1(input))
        s2 = F.max_pool2d(c1, (2, 2))
        c3 = F.relu(self.conv2(s2))
        s4 = F.max_pool2d(c3, 2)
        s4 = torch.flatten(s4, 1)
        return self.fc2(F.relu(self.fc1(s4)))


torch.manual_seed(0)
net = Net()
print(net)
params = list(net.parameters())
print(len(params))
print(params[0].size())
input = torch.randn(1, 1, 14, 14)
out = net(input)
print(out)
net.zero_grad()
out.backward(torch.randn(1, 2))
target = torch.randn(2).view(1, -1)
loss = nn.MSELoss()(net(input), target)
print(loss)
print(loss.grad_fn.name(), loss.grad_fn.next_functions[0][0].name())
net.zero_grad()
print("conv1.bias.grad before backward")
print(net.conv1.bias.grad)
loss.backward()
print("conv1.bias.grad after backward")
print(net.conv1.bias.grad)
images = 0.1 * torch.randn(64, 1, 14, 14)
labels = torch.randint(0, 2, (64,))
for image, label in zip(images, labels):
    place = int(torch.randint(0, 14, ()))
    if label:
        image[0, place] += 1
    else:
        image[0, :, place] += 1
optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(12):
    optimizer.zero_grad()
    outputs = net(images)
    loss = criterion(outputs, labels)
    loss.backward()
    optimizer.step()
    print(
        f"[{epoch + 1}] loss: {loss.item():.3f} accuracy: {(outputs.argmax(1) == labels).float().mean():.3f}"
    )
