"""The Chinese of what the losses of `minigrad.nn.extra` say of themselves, by their English sentences."""

EXTRA: dict[str, str] = {
    ("Cross entropy of scale · cos θ, where the right class counts as scale · cos(θ + margin)."): (
        "scale · cos θ 的交叉熵，其中正确类别按 scale · cos(θ + margin) 计。"
    ),
    ("cosines of embeddings to class vectors, and class indices. `ArcFaceLoss` makes the cosines."): (
        "嵌入与类别向量的余弦，以及类别下标。余弦由 `ArcFaceLoss` 计算。"
    ),
    (
        "scale times that of cross entropy, times sin(θ + margin) / sin θ for the right "
        "class, which is infinite at θ = 0; at a cosine of exactly 1 it is taken without the "
        "infinite part."
    ): (
        "交叉熵梯度的 scale 倍，对正确类别再乘以 sin(θ + margin) / sin θ，它在 θ = 0 "
        "处为无穷大；余弦恰为 1 时略去无穷大的部分。"
    ),
    ("Cross entropy of scale · cos θ, where the right class counts as scale · (cos θ - margin)."): (
        "scale · cos θ 的交叉熵，其中正确类别按 scale · (cos θ - margin) 计。"
    ),
    ("cosines of embeddings to class vectors, and class indices. `CosFaceLoss` makes the cosines."): (
        "嵌入与类别向量的余弦，以及类别下标。余弦由 `CosFaceLoss` 计算。"
    ),
    "scale times that of cross entropy.": "交叉熵梯度的 scale 倍。",
    ("α_t (1 - p_t)^γ (-(y log p + (1 - y) log(1 - p))) with p = σ(x)."): (
        "α_t (1 - p_t)^γ (-(y log p + (1 - y) log(1 - p)))，其中 p = σ(x)。"
    ),
    (
        "α_t (1 - p_t)^γ (σ(x) - y - γ (2 y - 1) σ(x) σ(-x) / (1 - p_t) · cross entropy); "
        "finite, with all its digits at any logit."
    ): (
        "α_t (1 - p_t)^γ (σ(x) - y - γ (2 y - 1) σ(x) σ(-x) / (1 - p_t) · cross "
        "entropy)；有限，在任何 logit 处都不失精度。"
    ),
    ("Binary cross entropy from logits, -(w₊ t log σ(x) + (1 - t) log σ(-x)), with t = (1 - ε) y + ε / 2."): (
        "由 logits 计算的二元交叉熵，-(w₊ t log σ(x) + (1 - t) log σ(-x))，其中 t = (1 - ε) y + ε / 2。"
    ),
    ("logits x, any real number (no sigmoid before it), and targets y in [0, 1] or `ignore_index`."): (
        "logits x，任意实数(之前不要做 sigmoid)，以及 [0, 1] 中的目标 y 或 `ignore_index`。"
    ),
    (
        "(1 - t) σ(x) - w₊ t σ(-x), 0 where ignored. With all elements ignored the mean is "
        "nan and its gradient zero."
    ): ("(1 - t) σ(x) - w₊ t σ(-x)，被忽略处为 0。若所有元素都被忽略，均值为 nan 而梯度为零。"),
    ("Generalised cross entropy, w[y] (1 - p^q) / q, where p = softmax(x)[y]."): (
        "广义交叉熵，w[y] (1 - p^q) / q，其中 p = softmax(x)[y]。"
    ),
    ("logits x (no softmax before it) and class indices."): "logits x(之前不要做 softmax)与类别下标。",
    (
        "w[y] p^q (softmax(x) - onehot(y)), over the divisor: a sample thought impossible "
        "pulls at nothing, where cross entropy would pull most."
    ): ("w[y] p^q (softmax(x) - onehot(y))，再除以除数：被认为不可能的样本毫无拉力，而交叉熵在此拉力最大。"),
    (
        "Poly-1 loss, cross entropy with its first term raised: w[y] (-log p + ε (1 - p)), p = softmax(x)[y]."
    ): ("Poly-1 损失，即抬高第一项的交叉熵：w[y] (-log p + ε (1 - p)),p = softmax(x)[y]。"),
    ("w[y] (1 + ε p) (softmax(x) - onehot(y)), over the divisor."): (
        "w[y] (1 + ε p) (softmax(x) - onehot(y))，再除以除数。"
    ),
    ("Focal loss of one class among many, -α[y] (1 - p)^γ log p, where p = softmax(x)[y]."): (
        "多选一的 focal loss,-α[y] (1 - p)^γ log p，其中 p = softmax(x)[y]。"
    ),
    (
        "α[y] (1 - p)^γ (1 - γ p log p / (1 - p)) (softmax(x) - onehot(y)), over the "
        "divisor; finite everywhere, and 0 where p = 1."
    ): (
        "α[y] (1 - p)^γ (1 - γ p log p / (1 - p)) (softmax(x) - "
        "onehot(y))，再除以除数；处处有限，在 p = 1 处为 0。"
    ),
    ("½ (y d² + (1 - y) max(0, margin - d)²), d = |a - b| being the distance of a pair."): (
        "½ (y d² + (1 - y) max(0, margin - d)²),d = |a - b| 是一对样本的距离。"
    ),
    ("pairs of embeddings, and targets 1 (similar) or 0 (dissimilar), not ±1."): (
        "成对的嵌入，目标为 1(相似)或 0(不相似)，而不是 ±1。"
    ),
    (
        "(a - b) for similar pairs, -(margin - d) (a - b) / d for dissimilar ones within the "
        "margin; 0 for two embeddings in one place, which nothing tells where to part."
    ): (
        "相似的一对为 (a - b)，间隔以内的不相似的一对为 -(margin - d) (a - b) / "
        "d；两个嵌入重合时为 0，因为不知该往哪边分开。"
    ),
    ("Cross entropy of finding a query's own key among others, by cosines over the temperature."): (
        "从众多键中找出查询自己的键的交叉熵，用余弦除以温度作为得分。"
    ),
    ("embeddings of any length; only their directions count."): "任意长度的嵌入；只看方向。",
    ("that of cross entropy, to queries and keys, at a right angle to each; 0 for a vector of zeros."): (
        "交叉熵的梯度，传给查询与键，与各自垂直；零向量为 0。"
    ),
    ("Cross entropy of finding the other view of a sample among all 2 N - 1 other views."): (
        "在全部 2 N - 1 个其他视图中找出样本的另一个视图的交叉熵。"
    ),
    (
        "the embeddings of two views of every sample, of any length; only their directions count."
    ): "每个样本两个视图的嵌入，长度任意；只看方向。",
    (
        "that of cross entropy, at a right angle to each embedding; 0 for a vector of zeros."
    ): "交叉熵的梯度，与每个嵌入垂直；零向量为 0。",
    ("Cross entropy of finding the samples of one's own label among all others, each with an equal share."): (
        "在所有其他样本中找出同标签样本的交叉熵，各占相等的份额。"
    ),
    (
        "embeddings of any length, only their directions count, and labels."
    ): "任意长度的嵌入(只看方向)，以及标签。",
    (
        "that of cross entropy, at a right angle to each embedding; 0 for a vector of zeros. "
        "Samples that are alone with their label count nothing; if all are, the mean is 0."
    ): ("交叉熵的梯度，与每个嵌入垂直；零向量为 0。没有同标签伙伴的样本不计；若都是如此，均值为 0。"),
    ("Ω*(x) + Ω(y) - ⟨x, y⟩, the loss whose gradient is prediction minus target, for a regularizer Ω."): (
        "Ω*(x) + Ω(y) - ⟨x, y⟩，对正则项 Ω，其梯度为预测减目标的损失。"
    ),
    ("scores x (no softmax before it), and class indices or probabilities y."): (
        "得分 x(之前不要做 softmax)，以及类别下标或概率 y。"
    ),
    "ŷ - y, always.": "总是 ŷ - y。",
    ("KL divergence of the normal distribution N(μ, exp(v)) from N(0, 1), (exp(v) - 1 - v + μ²) / 2."): (
        "正态分布 N(μ, exp(v)) 相对 N(0, 1) 的 KL 散度，(exp(v) - 1 - v + μ²) / 2。"
    ),
    ("means μ and logarithms of variances v = log σ², both any real number."): (
        "均值 μ 与方差的对数 v = log σ²，都是任意实数。"
    ),
    ("μ to the mean, (exp(v) - 1) / 2 to the logarithm of the variance. It flows to a prior too."): (
        "对均值为 μ，对方差的对数为 (exp(v) - 1) / 2。也会传给先验。"
    ),
    ("Jensen-Shannon divergence, β p log(p / m) + (1 - β) q log(q / m), m = β p + (1 - β) q, elementwise."): (
        "Jensen-Shannon 散度，逐元素为 β p log(p / m) + (1 - β) q log(q / m),m = β p + (1 - β) q。"
    ),
    (
        "log-probabilities log q (after log_softmax), and probabilities p (log-probabilities "
        "with `log_target`), as `kl_div`."
    ): ("对数概率 log q(log_softmax 之后)，以及概率 p(设 `log_target` 时为对数概率)，与 `kl_div` 相同。"),
    (
        "(1 - β) q log(q / m). Where p or q is 0 its part is 0. The divergence is at most "
        "log 2 for β = 0.5, also where the distributions share nothing."
    ): (
        "(1 - β) q log(q / m)。p 或 q 为 0 处，相应的部分为 0。β = 0.5 时散度最多为 log "
        "2，两个分布毫无重叠时也是。"
    ),
    ("The loss of `sparsemax`: |y - x|² / 2 - |p - x|² / 2 with p = sparsemax(x)."): (
        "`sparsemax` 的损失：|y - x|² / 2 - |p - x|² / 2，其中 p = sparsemax(x)。"
    ),
    ("scores x (no softmax or sparsemax before it), and class indices or probabilities y."): (
        "得分 x(之前不要做 softmax 或 sparsemax)，以及类别下标或概率 y。"
    ),
    (
        "sparsemax(x) - y: exactly 0 once the right score leads by 1, so that, unlike cross "
        "entropy, it stops."
    ): ("sparsemax(x) - y：一旦正确得分领先 1 就恰为 0，因此与交叉熵不同，它会停下来。"),
    ("The Lovász extension of the Jaccard loss, of the hinge errors max(0, 1 - x (2 y - 1)) of an image."): (
        "Jaccard 损失的 Lovász 扩展，作用于一幅图像的合页误差 max(0, 1 - x (2 y - 1))。"
    ),
    (
        "logits x, whose sign is the decision, and masks of 0 and 1."
    ): "logits x(其符号即判决)，以及 0 和 1 的掩码。",
    (
        "-(2 y - 1) times the pixel's step of the Jaccard loss, 0 where the error is 0 (a "
        "kink, as are two equal errors; of equals the first counts as the larger)."
    ): (
        "-(2 y - 1) 乘以该像素在 Jaccard 损失中的步长，误差为 0 处为 "
        "0(折点，两个误差相等处也是；相等时前者算较大)。"
    ),
    (
        "The Lovász extension of the Jaccard loss, of the errors 1 - p of a class's pixels "
        "and p of the others, its mean over the classes."
    ): ("Jaccard 损失的 Lovász 扩展，误差在本类像素上为 1 - p、在其他像素上为 p，再对各类取均值。"),
    ("logits (or probabilities with `from_logits=False`), and class indices."): (
        "logits(设 `from_logits=False` 时为概率)，以及类别下标。"
    ),
    (
        "through p, each pixel's step of the Jaccard loss over the number of classes. Two "
        "equal errors are a kink; of equals the first counts as the larger."
    ): ("经由 p，每个像素在 Jaccard 损失中的步长除以类别数。两个误差相等处是折点；相等时前者算较大。"),
    ("max(0, 1 - y x), the loss of a support vector machine."): "max(0, 1 - y x)，支持向量机的损失。",
    ("scores x of any range (no sigmoid before it), and targets 1 or -1, not 1 and 0."): (
        "任意范围的得分 x(之前不要做 sigmoid)，目标为 1 或 -1，而不是 1 和 0。"
    ),
    ("-y where y x < 1, else 0, also at the kink y x = 1."): (
        "y x < 1 处为 -y，否则为 0，在折点 y x = 1 处也为 0。"
    ),
    ("max(0, margin + max of the other scores - x[y]), the multi-class support vector machine."): (
        "max(0, margin + max of the other scores - x[y])，多类支持向量机。"
    ),
    ("scores x of any range (no softmax before it), and class indices y."): (
        "任意范围的得分 x(之前不要做 softmax)，以及类别下标 y。"
    ),
    (
        "-1 at the right class and 1 at the best of the others (the first, if several tie) "
        "where the margin is not kept, else 0, also at the kink. With all samples ignored "
        "the mean is nan and its gradient zero."
    ): (
        "间隔不足时正确类别为 -1、其余中最高的类别为 1(打平时取第一个)，否则为 "
        "0，在折点处也为 0。若所有样本都被忽略，均值为 nan 而梯度为零。"
    ),
    "max(0, 1 - y x)².": "max(0, 1 - y x)²。",
    ("-2 y max(0, 1 - y x), continuous; the second derivative is 2 y² inside the margin, 0 from it on."): (
        "-2 y max(0, 1 - y x)，连续；二阶导数在间隔以内为 2 y²，以外为 0。"
    ),
    (
        "log(1 + Σₙ exp(γ αₙ (sₙ - m)) Σₚ exp(-γ αₚ (sₚ - 1 + m))), each cosine s weighted "
        "by its distance α from where it should be: αₙ = max(0, sₙ + m), αₚ = max(0, 1 + m - "
        "sₚ)."
    ): (
        "log(1 + Σₙ exp(γ αₙ (sₙ - m)) Σₚ exp(-γ αₚ (sₚ - 1 + m)))，每个余弦 s "
        "按它到应处位置的距离 α 加权：αₙ = max(0, sₙ + m),αₚ = max(0, 1 + m - sₚ)。"
    ),
    (
        "with detached weights a pair's share of the softmax times γ α, so that it vanishes "
        "as the pair comes right; 0 for samples without a p or an n; if there is no other "
        "sample the mean is 0."
    ): (
        "权重不求导时为一对样本在 softmax 中的份额乘以 γ α，因此随着该对变对而消失；没有 p "
        "或 n 的样本为 0；若没有其他样本，均值为 0。"
    ),
    (
        "log(1 + Σₚ exp(-α (sₚ - λ))) / α + log(1 + Σₙ exp(β (sₙ - λ))) / β of the cosines s, λ being `base`."
    ): ("余弦 s 的 log(1 + Σₚ exp(-α (sₚ - λ))) / α + log(1 + Σₙ exp(β (sₙ - λ))) / β,λ 即 `base`。"),
    (
        "a pair's share of 1 + Σ; 0 for a vector of zeros. Which pairs are mined has no "
        "gradient: the loss jumps where that changes."
    ): ("一对样本在 1 + Σ 中的份额；零向量为 0。挖掘哪些样本对没有梯度：改变时损失会跳变。"),
    ("log cosh(x - y): d² / 2 for a small difference d, |d| - log 2 for a large one."): (
        "log cosh(x - y)：差 d 很小时为 d² / 2，很大时为 |d| - log 2。"
    ),
    (
        "tanh(x - y); no kink anywhere, and every derivative is continuous."
    ): "tanh(x - y)；没有折点，各阶导数都连续。",
    ("Mean absolute percentage error, |x - y| / max(|y|, eps), as a fraction: 0.1 is 10 %."): (
        "平均绝对百分比误差，|x - y| / max(|y|, eps)，以小数表示：0.1 即 10 %。"
    ),
    ("predictions of any range, and targets of the same shape, far from 0."): (
        "任意范围的预测值，以及同形状且远离 0 的目标。"
    ),
    ("sign(x - y) / max(|y|, eps), 0 where x = y (a kink)."): (
        "sign(x - y) / max(|y|, eps)，在 x = y 处为 0(折点)。"
    ),
    (
        "Mean squared logarithmic error, (log(1 + x) - log(1 + y))²."
    ): "均方对数误差，(log(1 + x) - log(1 + y))²。",
    ("predictions and targets greater than -1, usually counts or amounts from 0 on."): (
        "大于 -1 的预测值与目标，通常是从 0 开始的计数或数量。"
    ),
    "2 (log(1 + x) - log(1 + y)) / (1 + x).": "2 (log(1 + x) - log(1 + y)) / (1 + x)。",
    ("max(q d, (q - 1) d) with d = y - x, the pinball loss."): (
        "max(q d, (q - 1) d)，其中 d = y - x，即弹球(pinball)损失。"
    ),
    ("-q where x < y, 1 - q where x > y, 0 where x = y (a kink)."): (
        "x < y 处为 -q,x > y 处为 1 - q,x = y 处为 0(折点)。"
    ),
    (
        "1 - (2 TP + smooth) / (2 TP + FP + FN + smooth), the counts being sums over the "
        "pixels of p t, p (1 - t) and (1 - p) t."
    ): (
        "1 - (2 TP + smooth) / (2 TP + FP + FN + smooth)，各计数是 p t、p (1 - t) 与 (1 - p) t 在像素上的和。"
    ),
    ("logits (or probabilities with `from_logits=False`), and masks of 0 and 1 or class indices."): (
        "logits(设 `from_logits=False` 时为概率)，以及 0 和 1 的掩码或类别下标。"
    ),
    (
        "all pixels of a region share it, a pixel's loss has none of its own; through the "
        "sigmoid or softmax it vanishes for pixels that are confidently wrong, so that Dice "
        "is often added to cross entropy."
    ): (
        "一个区域的所有像素共享它，单个像素没有自己的损失；经过 sigmoid 或 softmax "
        "后，对自信而判错的像素会消失，因此 Dice 常与交叉熵相加。"
    ),
    ("1 - (TP + smooth) / (TP + FP + FN + smooth): 1 minus the intersection over the union."): (
        "1 - (TP + smooth) / (TP + FP + FN + smooth):1 减去交并比。"
    ),
    (
        "as that of `dice_loss`, of which this is 2 D / (1 + D) where smooth is 0: both "
        "order predictions alike, this one counts the bad ones more."
    ): (
        "与 `dice_loss` 类似，smooth 为 0 时它等于 2 D / (1 + "
        "D)：两者对预测的排序相同，它对差的预测计得更重。"
    ),
    ("(1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)) ** gamma."): (
        "(1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)) ** gamma。"
    ),
    (
        "as that of `dice_loss`, times gamma L ** (gamma - 1) of the loss L without it, "
        "which is taken as 0 at L = 0."
    ): ("与 `dice_loss` 类似，再乘以 gamma L ** (gamma - 1),L 是不带 gamma 的损失；L = 0 处取 0。"),
}
