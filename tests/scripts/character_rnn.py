"""Names by the language they come from, a letter at a time, with a recurrent network written out."""

import torch
import torch.nn as nn

LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAMES = {
    "Italian": ["rossi", "ferrari", "esposito", "bianchi"],
    "Dutch": ["devries", "jansen", "visser", "bakker"],
}
languages = list(NAMES)


def line_to_tensor(line):
    tensor = torch.zeros(len(line), 1, len(LETTERS))
    for place, letter in enumerate(line):
        tensor[place][0][LETTERS.find(letter)] = 1
    return tensor


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        hidden = torch.tanh(self.i2h(input) + self.h2h(hidden))
        return self.softmax(self.h2o(hidden)), hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


torch.manual_seed(5)
rnn = RNN(len(LETTERS), 16, len(languages))
criterion = nn.NLLLoss()
print(line_to_tensor("abc").size())
output, _ = rnn(line_to_tensor("rossi")[0], rnn.init_hidden())
print(output)
top_n, top_i = output.topk(1)
print(languages[top_i[0].item()], top_i)
for epoch in range(15):
    total = 0.0
    for language, names in NAMES.items():
        for name in names:
            hidden = rnn.init_hidden()
            rnn.zero_grad()
            line = line_to_tensor(name)
            for i in range(line.size()[0]):
                output, hidden = rnn(line[i], hidden)
            loss = criterion(output, torch.tensor([languages.index(language)]))
            loss.backward()
            nn.utils.clip_grad_norm_(rnn.parameters(), 1.0)
            for p in rnn.parameters():
                p.data.add_(p.grad.data, alpha=-0.05)
            total += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch} {total:.4f}")
cell = nn.RNN(4, 3, num_layers=2, batch_first=True)
out, h = cell(torch.randn(2, 5, 4))
print(out.shape, h.shape, out[0, -1])
gru = nn.GRUCell(4, 3)
h = torch.zeros(2, 3)
for step in torch.randn(6, 2, 4):
    h = gru(step, h)
print(h)
