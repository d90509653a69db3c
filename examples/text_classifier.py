"""Short reviews as token ids: their opinion by an LSTM, on one logit and on two, and their topic by a mean.

Runs on minigrad, and with --backend torch on torch; both print the same numbers.
"""

import argparse
import importlib
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--backend", choices=["minigrad", "torch"], default="minigrad")
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch = importlib.import_module(args.backend)
nn = importlib.import_module(f"{args.backend}.nn")
rnn = importlib.import_module(f"{args.backend}.nn.utils.rnn")

lines = Path(__file__).with_name("texts").joinpath("reviews.tsv").read_text().splitlines()
rows = [line.split("\t") for line in lines]
words = {word: place for place, word in enumerate(sorted({w for row in rows for w in row[2].split()}))}
texts = [torch.tensor([words[word] for word in row[2].split()]) for row in rows]
opinions = torch.tensor([row[0] == "good" for row in rows])
topics = torch.tensor([["food", "film", "travel"].index(row[1]) for row in rows])


class Classifier(nn.Module):
    def __init__(self, outputs, recurrent):
        super().__init__()
        self.embedding = nn.Embedding(len(words), 16)
        self.lstm = nn.LSTM(16, 16) if recurrent else None
        self.head = nn.Linear(16, outputs)

    def forward(self, texts):
        if self.lstm is None:
            return self.head(torch.stack([self.embedding(text).mean(0) for text in texts]))
        packed = rnn.pack_sequence([self.embedding(text) for text in texts], enforce_sorted=False)
        return self.head(self.lstm(packed)[1][0][-1])


def train(title, model, criterion, labels, predict):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(1, args.epochs + 1):
        total, correct = 0.0, 0
        for batch in torch.randperm(36).reshape(6, 6).tolist():
            target = labels[torch.tensor(batch)]
            optimizer.zero_grad()
            output = model([texts[place] for place in batch]).squeeze(1)
            loss = criterion(output, target)
            loss.backward()
            optimizer.step()
            total += loss.item() / 6
            correct += torch.sum(predict(output) == target).item()
        with torch.no_grad():
            held_out = (predict(model(texts[36:]).squeeze(1)) == labels[36:]).float().mean().item()
        print(
            f"{title}  epoch {epoch}  loss {total:.4f}  accuracy {correct / 36:.4f}  held out {held_out:.4f}"
        )


torch.manual_seed(args.seed)
bce, cross_entropy = nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()
one = lambda logits: torch.round(torch.sigmoid(logits))  # noqa: E731
most = lambda logits: logits.argmax(dim=1)  # noqa: E731
train("opinion, one logit ", Classifier(1, True), bce, opinions.float(), one)
train("opinion, two logits", Classifier(2, True), cross_entropy, opinions.long(), most)
train("topic, mean pool   ", Classifier(3, False), cross_entropy, topics, most)
