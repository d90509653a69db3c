"""The Chinese of what the losses of `minigrad.nn` say of themselves, by their English sentences."""

LOSSES: dict[str, str] = {
    ("Cross entropy of probabilities, -(y log p + (1 - y) log(1 - p))."): (
        "概率的交叉熵，-(y log p + (1 - y) log(1 - p))。"
    ),
    ("probabilities p (after a sigmoid), not logits, and targets y in [0, 1]."): (
        "概率 p(sigmoid 之后的值，不是 logits)，以及 [0, 1] 中的目标 y。"
    ),
    ("(p - y) / max(p (1 - p), 1e-12). Each logarithm is clamped at -100, so a loss is at most 100."): (
        "(p - y) / max(p (1 - p), 1e-12)。每个对数都截断在 -100，因此单个损失最多为 100。"
    ),
    ("Sigmoid and cross entropy in one: -(w₊ y log σ(x) + (1 - y) log σ(-x))."): (
        "sigmoid 与交叉熵合而为一：-(w₊ y log σ(x) + (1 - y) log σ(-x))。"
    ),
    ("logits x, any real number (no sigmoid before it), and targets y in [0, 1]."): (
        "logits x，任意实数(之前不要做 sigmoid)，以及 [0, 1] 中的目标 y。"
    ),
    (
        "(1 - y) σ(x) - w₊ y σ(-x), which is σ(x) - y without w₊; never zero for a wrong "
        "logit. An infinite logit costs nothing where it is right, and has a gradient where "
        "it is wrong."
    ): (
        "(1 - y) σ(x) - w₊ y σ(-x)，没有 w₊ 时就是 σ(x) - y；判错的 logit "
        "的梯度永不为零。无穷大的 logit 判对时损失为零，判错时仍有梯度。"
    ),
    ("1 - cos(a, b) where y = 1, max(0, cos(a, b) - margin) where y = -1."): (
        "y = 1 时为 1 - cos(a, b),y = -1 时为 max(0, cos(a, b) - margin)。"
    ),
    ("pairs of vectors, and targets 1 (similar) or -1 (dissimilar), not 0 and 1."): (
        "成对的向量，目标为 1(相似)或 -1(不相似)，而不是 0 和 1。"
    ),
    (
        "∓ (b / |b| - cos a / |a|) / |a| to a, and likewise to b; the length of a vector has "
        "none. 1e-12 is added to each squared length, as torch does: vectors shorter than "
        "1e-5 count as if they were less alike, and a vector of zeros has loss 1 and a large "
        "gradient."
    ): (
        "对 a 为 ∓ (b / |b| - cos a / |a|) / |a|，对 b 同理；向量的长度没有梯度。与 torch "
        "一样，每个长度的平方都加上 1e-12：短于 1e-5 的向量算得不那么相似，零向量的损失为 1 "
        "且梯度很大。"
    ),
    ("Softmax and negative log-likelihood in one: -w[y] log softmax(x)[y]."): (
        "softmax 与负对数似然合而为一：-w[y] log softmax(x)[y]。"
    ),
    ("logits x (no softmax before it), and class indices or probabilities."): (
        "logits x(之前不要做 softmax)，以及类别下标或概率。"
    ),
    (
        "softmax(x) - onehot(y), times the weight, over the divisor. With all samples "
        "ignored the mean is nan and its gradient zero; where all that count have weight 0 "
        "both are nan."
    ): (
        "softmax(x) - onehot(y)，乘以权重，再除以除数。若所有样本都被忽略，均值为 nan "
        "而梯度为零；若计入的样本权重都为 0，两者都是 nan。"
    ),
    ("Connectionist temporal classification: -log p(targets), p summed over all alignments to the frames."): (
        "连接时序分类(CTC):-log p(targets),p 是对标签与各帧的所有对齐求和。"
    ),
    ("log-probabilities (after log_softmax over the classes), neither logits nor probabilities."): (
        "对数概率(在类别上做过 log_softmax)，既不是 logits 也不是概率。"
    ),
    (
        "softmax minus posterior, exp(log_probs) - P(class in the frame | targets), as "
        "torch's. That is what reaches the logits through log_softmax; through it "
        "`exact=True`, whose gradient is the derivative -P(class in the frame | targets), "
        "leads to the same. A sample without an alignment (too few frames for its labels, "
        "one more needed for each repeat) has an infinite loss and the gradient 0, where "
        "torch's is nan: one such sample shows, but does not end the training."
    ): (
        "softmax 减去后验概率，即 exp(log_probs) - P(class in the frame | targets)，与 torch "
        "相同。经过 log_softmax 传到 logits 的就是它；设 `exact=True` 时梯度是导数 -P(class "
        "in the frame | targets)，经过 log_softmax 得到同样的结果。"
        "没有任何对齐的样本(帧数少于标签数，每个重复还需多一帧)损失为无穷大而梯度为 0,torch "
        "则给出 nan：这样的样本看得出来，但不会毁掉训练。"
    ),
    (
        "Negative log-likelihood of a normal distribution, (log v + (x - y)² / v) / 2 with v = max(var, eps)."
    ): ("正态分布的负对数似然，(log v + (x - y)² / v) / 2，其中 v = max(var, eps)。"),
    ("expectations x, targets of the same shape, and variances (not standard deviations or logarithms)."): (
        "期望 x、同形状的目标，以及方差(不是标准差，也不是对数)。"
    ),
    (
        "(x - y) / v, and for the variance (v - (x - y)²) / (2 v²). It passes straight "
        "through the clamp: a variance below eps is still pushed, with the slope at eps."
    ): (
        "(x - y) / v；对方差为 (v - (x - y)²) / (2 v²)。截断处梯度照常通过：小于 eps "
        "的方差仍以 eps 处的斜率被推动。"
    ),
    ("x where y = 1, max(0, margin - x) where y = -1."): ("y = 1 时为 x,y = -1 时为 max(0, margin - x)。"),
    ("distances x of pairs, and targets 1 (similar) or -1 (dissimilar), not 0 and 1."): (
        "成对样本的距离 x，目标为 1(相似)或 -1(不相似)，而不是 0 和 1。"
    ),
    ("1 where y = 1, -1 where y = -1 and x <= margin, else 0."): (
        "y = 1 处为 1,y = -1 且 x <= margin 处为 -1，其余为 0。"
    ),
    (
        "Squared near the target, absolute beyond: d² / 2 where d = |x - y| <= delta, else "
        "delta d - delta² / 2."
    ): ("目标附近取平方，远处取绝对值：d = |x - y| <= delta 时为 d² / 2，否则为 delta d - delta² / 2。"),
    ("predictions of any range, and targets of the same shape."): "任意范围的预测值，以及同形状的目标。",
    ("x - y where d <= delta, else delta sign(x - y)."): (
        "d <= delta 时为 x - y，否则为 delta sign(x - y)。"
    ),
    ("Kullback-Leibler divergence of the model from the target, t (log t - x) elementwise."): (
        "目标到模型的 Kullback-Leibler 散度，逐元素为 t (log t - x)。"
    ),
    ("log-probabilities x (after log_softmax), and probabilities t (log-probabilities with `log_target`)."): (
        "对数概率 x(log_softmax 之后)，以及概率 t(设 `log_target` 时为对数概率)。"
    ),
    (
        "-t, over the divisor. Where t is 0 the term is 0, whatever x is, and so is the "
        "gradient with respect to t (elsewhere log t + 1 - x). A negative probability makes "
        "nan."
    ): (
        "-t，再除以除数。t 为 0 时无论 x 如何该项都为 0，对 t 的梯度也为 0(其他地方为 log t "
        "+ 1 - x)。负的概率得到 nan。"
    ),
    "Absolute error, |x - y|.": "绝对误差，|x - y|。",
    "sign(x - y), 0 where x = y (a kink).": "sign(x - y)，在 x = y 处为 0(折点)。",
    ("Cross entropy of the logits x Wᵀ + b: -w[y] log softmax(x Wᵀ + b)[y]."): (
        "logits x Wᵀ + b 的交叉熵：-w[y] log softmax(x Wᵀ + b)[y]。"
    ),
    ("features x (what comes before the last linear layer), and class indices or probabilities."): (
        "特征 x(最后一个线性层的输入)，以及类别下标或概率。"
    ),
    (
        "that of `cross_entropy` through the linear layer. It is computed along with the "
        'loss, except for "none", where backward computes the logits once more.'
    ): ('`cross_entropy` 的梯度再经过线性层。它与损失一起算出；"none" 例外，反向时要再算一次 logits。'),
    "max(0, margin - y (x₁ - x₂)).": "max(0, margin - y (x₁ - x₂))。",
    ("two scores x₁ and x₂, and targets 1 (the first should be higher) or -1 (the second), not 0 and 1."): (
        "两个得分 x₁ 和 x₂，目标为 1(第一个应更高)或 -1(第二个)，而不是 0 和 1。"
    ),
    ("-y to x₁ and y to x₂ where y (x₁ - x₂) <= margin, else 0; x₂ - x₁ to a target there."): (
        "y (x₁ - x₂) <= margin 处对 x₁ 为 -y、对 x₂ 为 y，其余为 0；该处对目标为 x₂ - x₁。"
    ),
    "Squared error, (x - y)².": "平方误差，(x - y)²。",
    ('2 (x - y), over the number of elements for "mean".'): '2 (x - y),"mean" 时再除以元素个数。',
    ("w[y] / C · Σ_{j ≠ y} max(0, margin - x[y] + x[j])ᵖ, the hinge loss of one class among many."): (
        "w[y] / C · Σ_{j ≠ y} max(0, margin - x[y] + x[j])ᵖ，多选一的合页损失。"
    ),
    ("scores x (no softmax before it), and class indices."): "得分 x(之前不要做 softmax)，以及类别下标。",
    (
        "p · gapᵖ⁻¹ · w[y] / C to every class whose gap is positive, minus their sum to the "
        "right one. At a gap of 0 there is none. A gap of nan counts nothing, as torch's."
    ): (
        "对每个间隔为正的类别为 p · gapᵖ⁻¹ · w[y] / "
        "C，对正确类别为它们之和的相反数。间隔恰为 0 时没有梯度。与 torch 一样，nan "
        "的间隔不计。"
    ),
    ("1 / C · Σ max(0, 1 - x[y] + x[j]) over a sample's labels y and the classes j that are none of them."): (
        "1 / C · Σ max(0, 1 - x[y] + x[j])，对样本的标签 y 与所有非标签类别 j 求和。"
    ),
    ("scores x (no sigmoid before it), and lists of class indices, not zeros and ones."): (
        "得分 x(之前不要做 sigmoid)，以及类别下标的列表，而不是 0 和 1。"
    ),
    (
        "for every positive gap 1 / C to the class j and -1 / C to the label y. At a gap of "
        "0 there is none. A gap of nan counts nothing, as torch's."
    ): (
        "每个正的间隔对类别 j 为 1 / C，对标签 y 为 -1 / C。间隔恰为 0 时没有梯度。与 torch "
        "一样，nan 的间隔不计。"
    ),
    ("-1 / C · Σ_c w[c] (y[c] log σ(x[c]) + (1 - y[c]) log σ(-x[c]))."): (
        "-1 / C · Σ_c w[c] (y[c] log σ(x[c]) + (1 - y[c]) log σ(-x[c]))。"
    ),
    ("logits x, any real number (no sigmoid before it), and targets y in [0, 1], one for each class."): (
        "logits x，任意实数(之前不要做 sigmoid)，以及 [0, 1] 中的目标 y，每个类别一个。"
    ),
    ("w ((1 - y) σ(x) - y σ(-x)) / C, accurate at any logit."): (
        "w ((1 - y) σ(x) - y σ(-x)) / C，在任何 logit 处都精确。"
    ),
    ("Negative log-likelihood, -w[y] x[y], the log-probability of the right class."): (
        "负对数似然，-w[y] x[y]，即正确类别的对数概率取负。"
    ),
    ("log-probabilities x (after log_softmax), neither logits nor probabilities, and class indices."): (
        "对数概率 x(log_softmax 之后)，既不是 logits 也不是概率，以及类别下标。"
    ),
    "-w[y] at the right class, 0 elsewhere.": "正确类别处为 -w[y]，其余为 0。",
    ("Negative log-likelihood of counts y with the rate λ: λ - y log λ, where λ = exp(x)."): (
        "速率为 λ 的计数 y 的负对数似然：λ - y log λ，其中 λ = exp(x)。"
    ),
    ("logarithms x of the rates (rates themselves without `log_input`), and counts."): (
        "速率的对数 x(不设 `log_input` 时为速率本身)，以及计数。"
    ),
    (
        "exp(x) - y; without `log_input` 1 - y / (λ + eps). Where y is 0 there is no "
        "logarithm to pay for, also at a rate of zero."
    ): ("exp(x) - y；不设 `log_input` 时为 1 - y / (λ + eps)。y 为 0 时没有对数项，速率为零时也一样。"),
    ("Squared error near the target, absolute error away from it."): "目标附近为平方误差，远处为绝对误差。",
    ("(x - y) / beta where d < beta, else sign(x - y)."): (
        "d < beta 时为 (x - y) / beta，否则为 sign(x - y)。"
    ),
    ("log(1 + exp(-y x)), the logistic loss of a score x and a sign y."): (
        "log(1 + exp(-y x))，得分 x 与符号 y 的逻辑损失。"
    ),
    ("scores x, any real number (no sigmoid before it), and targets 1 or -1, not 0 and 1."): (
        "得分 x，任意实数(之前不要做 sigmoid)，目标为 1 或 -1，而不是 0 和 1。"
    ),
    ("-y σ(-y x), accurate and finite at any score."): "-y σ(-y x)，在任何得分处都精确且有限。",
    ("max(0, margin + d(a, p) - d(a, n)), where d is the p-norm of the difference plus eps."): (
        "max(0, margin + d(a, p) - d(a, n)),d 是差加上 eps 的 p 范数。"
    ),
    ("vectors a, of the same kind (p) and of another (n); usually all of length 1."): (
        "向量 a、同类的 p 与异类的 n；通常长度都为 1。"
    ),
    (
        "that of d(a, p) minus that of d(a, n) where the loss is >= 0 before the maximum, "
        "else 0; a tie of `swap` shares it."
    ): ("取最大值之前损失 >= 0 处为 d(a, p) 的梯度减去 d(a, n) 的梯度，否则为 0;`swap` 打平时平分。"),
    ("max(0, margin + d(a, p) - d(a, n)), where d is any distance."): (
        "max(0, margin + d(a, p) - d(a, n)),d 是任意距离。"
    ),
    ("inputs that the distance takes; anchors, ones of the same kind (p) and of another (n)."): (
        "距离函数接受的输入：锚点、同类样本 p 与异类样本 n。"
    ),
    ("that of d(a, p) minus that of d(a, n) where the loss is >= 0 before the maximum, else 0."): (
        "取最大值之前损失 >= 0 处为 d(a, p) 的梯度减去 d(a, n) 的梯度，否则为 0。"
    ),
}
