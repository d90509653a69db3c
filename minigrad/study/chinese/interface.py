"""The Chinese of headings, notes and checks, by their English sentences."""

INTERFACE: dict[str, str] = {
    "formula": "公式",
    "wants": "输入",
    "gradient": "梯度",
    "divisor": "除数",
    "check": "检验",
    "note": "说明",
    "Forward": "前向",
    "Backward": "反向",
    "Per sample": "逐样本",
    "given": "给定",
    "from step {n}": "来自第 {n} 步",
    "{name}, by its definition:": "{name} 的定义：",
    "ḡ is the gradient that arrives: that of the step's own value.": "ḡ 是传来的梯度，即该步自身值的梯度。",
    "… {n} more samples": "……另有 {n} 个样本",
    "sample": "样本",
    "logit": "logit",
    "logits": "logits",
    "prediction": "预测",
    "score": "得分",
    "scores": "得分",
    "cosine": "余弦",
    "cosines": "余弦",
    "distance": "距离",
    "expectation": "期望",
    "target": "目标",
    "weight": "权重",
    "ignored": "忽略",
    "loss": "损失",
    "|gradient|": "|梯度|",
    "gradient[target]": "梯度[目标]",
    "logit[target]": "logit[目标]",
    "p[target]": "p[目标]",
    "yes": "是",
    "This loss has no value for each sample: its parts depend on each other.": (
        "该损失没有逐样本的值：各部分互相依赖。"
    ),
    "none: no reduction, and no divisor; each loss stays as it is": (
        "none：不归约，没有除数，每个损失保持原样"
    ),
    "sum divides by nothing: the gradient grows with the number of samples": (
        "sum 不做除法：梯度随样本数增长"
    ),
    "{reduction} divides by the number of losses = {n}": "{reduction} 除以损失的个数 = {n}",
    "{reduction} divides by {n}": "{reduction} 除以 {n}",
    "{reduction} divides by the sum of weights = {n}, over {count} of {total} samples": (
        "{reduction} 除以权重之和 = {n}，计入 {total} 个样本中的 {count} 个"
    ),
    "{reduction} divides by the number of samples that count = {n} of {total}": (
        "{reduction} 除以计入的样本数 = {n}（共 {total} 个）"
    ),
    "kernel = definition": "内核 = 定义",
    "definition = central differences": "定义 = 中心差分",
    "the value": "损失值",
    "no kernel for this call: the definition itself ran": "此调用没有内核：直接运行了定义",
    "no gradient reaches the loss": "没有梯度传到该损失",
    "{n} elements at a kink left out": "略去 {n} 个位于折点的元素",
    "not installed": "未安装",
    "it has no such loss": "没有这个损失",
    "it has no option {option}": "没有选项 {option}",
    "it gives no gradient here": "此处不给出梯度",
    "it refuses this call: {error}": "拒绝此调用：{error}",
    "The tape keeps only what some derivative needs. Call explain(function, *arguments) to see the other values "
    "too.": "计算图只保留导数所需的值。调用 explain(function, *arguments) 可看到其余的值。",
    "the tape did not keep this value, as no derivative needs it": "没有导数用到该值，计算图未保留",
    "a constant that the tape did not keep, as no derivative needs it": "没有导数用到该常量，计算图未保留",
    "no definition to look into: shown as one step": "没有可展开的定义：显示为一步",
    "freed": "已释放",
    "the tensor is gone": "张量已不存在",
    "the gradient is .grad, as backward left it": "梯度取自反向传播留下的 .grad",
    "A backward has freed this graph, and most values with it. Explain a loss before loss.backward(), or "
    "call loss.backward(retain_graph=True).": (
        "反向传播已释放此计算图及其中大部分的值。请在 loss.backward() 之前解释损失，或调用 "
        "loss.backward(retain_graph=True)。"
    ),
    "The input with zeros for the samples that are ignored: nothing of them counts, not even a nan.": (
        "把被忽略的样本的输入置零：它们毫不计入，nan 也不例外。"
    ),
    "Each sample's -log p[y], and its weight w[y], 0 where the target is ignored.": (
        "每个样本的 -log p[y] 与权重 w[y]，目标被忽略处为 0。"
    ),
    "factor * x, where 0 times an infinity is 0: what has no mass costs nothing.": (
        "factor * x，其中 0 乘以无穷大为 0：没有质量的部分没有损失。"
    ),
    "The reduction whose mean divides by the weights of the samples that count.": (
        "归约，其均值除以计入的样本的权重之和。"
    ),
    "The mean, the sum, or the losses themselves; with weights the mean divides by their sum.": (
        "均值、总和或各损失本身；有权重时均值除以权重之和。"
    ),
    "-Σ w[c] q[c] log p[c] over the classes.": "对类别求和的 -Σ w[c] q[c] log p[c]。",
}
