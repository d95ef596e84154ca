#include "views/shell/view_help.h"

#include <QDockWidget>
#include <QMap>

#include "views/plots/plot_view.h"

namespace qaq::views {

ViewHelp::Text ViewHelp::of(const QString& part) {
  static const QMap<QString, Text> kTexts{
      {"bits",
       {tr("Bit maps"),
        {tr("How many bits each token was given, keys left, values right: tokens along x, layers "
            "down, with a row for each KV head. Dark is many."),
         tr("The newest tokens always get n_bits_max, by rule: the bracket above marks them. Where "
            "cells share a pixel the fewest bits are shown, because the worst allocation matters; "
            "the badge says so."),
         tr("The legend tells how the bits are spread, their mean, and the nominal size, which "
            "counts values kept exactly.")}}},
      {"outliers",
       {tr("Outlier map"),
        {tr("The size of every value of one head, on a log scale: tokens along x, channels down. "
            "White squares are kept exactly."),
         tr("outliers_ratio says what share is kept; half of it at each end of a unit's range. A "
            "channel that stands out in every token is one that costs bits if it is not kept.")}}},
      {"attention",
       {tr("Attention"),
        {tr("How much each step (down) reads each token (along x), on a log scale. The future is "
            "blank."),
         tr("Triangles mark where importance jumped: a step reads a token violation_ratio times as "
            "much as any step of the window before, so the bits of its value were chosen for less. "
            "The box "
            "is the window, last_n_attentions, at the locked step."),
         tr("Without a query head of its own chosen, each cell is the maximum over the query heads "
            "that read the KV head.")}}},
      {"persistence",
       {tr("Persistence of importance"),
        {tr("Whether what was important stays important: the window's maximum of each score "
            "across, "
            "what the next step gave upwards, counted, on log scales. On the line nothing has "
            "changed; above the line of the ratio lie the violations."),
         tr("The map shows the ratio by token and step, diverging around 1. A triangle, a cell or "
            "a "
            "row of the table locks its cell in every view.")}}},
      {"errors",
       {tr("Errors"),
        {tr("What quantization changed, layer by layer: the errors of keys, of values, of the "
            "attention scores and of the outputs, on a log scale; below them a map by layer and "
            "token."),
         tr("Each layer is quantized alone: what one layer hands on to the next is not in it.")}}},
      {"distributions",
       {tr("Distributions"),
        {tr("How the numbers of keys and values lie: their density on a log scale, so that the "
            "tails are seen, and the range of every channel."),
         tr("The handles show where outliers are cut off; dragging one sets outliers_ratio.")}}},
      {"tradeoff",
       {tr("Trade-off"),
        {tr("Every setting that was tried on the capture: how many times smaller the cache is "
            "across, what it loses upwards. On the front lie those that no other beats; the one "
            "that is shown elsewhere is circled. While it is held against a run, both carry their "
            "letter, colour and sign."),
         tr("Nominal and packed sizes are never on one axis.")}}},
      {"memory",
       {tr("Memory"),
        {tr("The bytes of keys and values by part: payload, scales, values kept exactly, where "
            "they lie, and the map of bits. Packed counts all of them, nominal the paper's average "
            "of bits; the other of the two is an outline.")}}},
      {"formula",
       {tr("Formula"),
        {tr("How the cell under the pointer, else the locked one, came to its bits: the formula of "
            "the variant in use, the same with the cell's numbers, and which limit acted.")}}},
      {"compare",
       {tr("A and B"),
        {tr("The same map of A and of B, with one zoom and one range of colours, and B − A beside "
            "them: red is higher in B, blue lower, the middle the same. The legend counts both. "
            "Where cells of the difference share a pixel, the largest difference is shown."),
         tr("“swipe” makes one map of both, A left and B right of a divider: drag it, or focus it "
            "with Tab and use the arrow keys."),
         tr("B is the setting that is shown; A is what was chosen in the list of runs or with "
            "“Compare with…”. C compares or not, X swaps the two, B shows A in every view while it "
            "is held."),
         tr("Of different models, tokenizers or prompts no difference is drawn, and the pane says "
            "why; of different lengths, that of the tokens that both begin with.")}}},
      {"overlay",
       {tr("A over B"),
        {tr("What both lose, one line over the other: by step, of outputs or of attention, or by "
            "layer, of keys or of values, over what both hold. A is solid with discs, B broken "
            "with squares."),
         tr("“numbers” shows how the keys or values of the head lie under each setting, both "
            "counted in the same bins.")}}},
      {"delta",
       {tr("Delta table"),
        {tr("Every metric of A and B with B − A, what that is of A, its 95 % interval and whether "
            "B is better or worse. Grey rows are the same, or differ by no more than chance does."),
         tr("Means over steps have the interval of their paired difference; what is of all cells "
            "is exact. Beside the table stand the settings that differ.")}}},
      {"broke",
       {tr("What broke"),
        {tr("KL of every prediction behind the quantized tokens, both caches given one text. A "
            "triangle: the top token changed. A ring: it changed where the whole cache was "
            "undecided, so that is no failure. The box is the step that is explained."),
         tr("A click or N and Shift+N look at a step, and lock its token where the capture has "
            "it.")}}},
      {"where",
       {tr("Where"),
        {tr("KL at the explained step when one part of the cache is left exact, or is the only one "
            "quantized, with the token that comes then; ✓ is the expected one. The dashed line is "
            "the whole setting. Blue bars repair the step."),
         tr("Only the telling replays are drawn; the table has all of them.")}}},
      {"heads",
       {tr("Where, by head"),
        {tr("Layers across, KV heads down. Until every head was replayed by itself: what its "
            "quantization changes in its outputs at the explained step, to first order. Once "
            "replayed: how KL changes where the head alone is left exact; blue repairs."),
         tr("The box is the head of the strongest cell to blame. A click shows a head in the other "
            "views.")}}},
      {"failures",
       {tr("Failures"),
        {tr("The predictions that a quantized cache changes, found by running the model: what was "
            "expected, what came, and whether the whole cache was decided. The first divergence is "
            "bold; what follows it may only follow from it."),
         tr("A click or N and Shift+N look at a step. “Explain this step” runs the model again for "
            "another one. A diagnosis of another setting than the shown one says so.")}}},
      {"why",
       {tr("Why"),
        {tr("What broke and where, then every cause that is known. Confirmed: its counterfactual, "
            "replayed in the cells to blame alone, brings the expected token back and leaves less "
            "than half of the KL. Hypothesis: it holds, but does not repair by itself. Ruled out: "
            "it does not hold, or changes nothing."),
         tr("The bar is KL with the counterfactual, the stroke KL before it. The cheapest "
            "confirmed "
            "cause stands first; the evidence is in the tooltip.")}}},
      {"tokens",
       {tr("Tokens"),
        {tr("The text, with a strip each for the bits of keys, of values and for attention below "
            "every token, in the colours of the maps. Tokens that are not quantized are faint."),
         tr("A click locks a token; Ctrl+F or tok:vessel in the palette looks for text.")}}},
      {"table",
       {tr("Table"),
        {tr("What another view shows, as rows: the numbers behind the picture. They can be sorted, "
            "filtered and copied, with all their digits.")}}},
      {"slices",
       {tr("Slices"),
        {tr("Sets of tokens, layers and heads with a name: found by the program or kept by you. A "
            "click selects one; your own can be renamed (F2) and deleted (Del).")}}},
      {"log",
       {tr("Log"),
        {tr("What was opened, written and refused since the window was opened, newest last. The "
            "text can be copied.")}}},
      {"lesson",
       {tr("Lesson"),
        {tr("One step of a lesson: read, then press “Show me” or do it yourself. “Show me” is one "
            "step that Ctrl+Z takes back; the rest of the window stays yours."),
         tr("Numbers are computed from the open capture and its settings, so they change with "
            "them. "
            "Where a lesson makes a figure or table of the paper again, the paper's number, ours "
            "and "
            "what differs stand below."),
         tr("A lesson goes on where it was left.")}}},
      {"parameters",
       {tr("Parameters"),
        {tr("At the top which policy decides: what quantizes, and what evicts tokens. Below it all "
            "that it can be told, of QAQ for keys and values apart; with Link both change "
            "together. A dot marks what differs from its default; ↺ brings the default back."),
         tr("With Live every change replays; else Run does. Every change can be undone."),
         tr("The names are those of qaq replay --set: Copy command gives the line that makes the "
            "same result.")}}},
      {"runs",
       {tr("Captures & runs"),
        {tr("The open capture and the settings that were tried on it, with what each saves and "
            "loses. A click takes a setting up again; its menu renames it or takes it off.")}}},
      {"inspector",
       {tr("Inspector"),
        {tr("The numbers of the cell under the pointer, else of the locked one: the bits of its "
            "key "
            "and value, what was kept exactly, the error made, and the largest jump of its "
            "importance."),
         tr("Click a cell to lock it; Esc frees it.")}}},
  };
  static const Text kWindow{
      tr("QAQ Scope"),
      {tr("Open a capture to see what quantizing its KV cache gives to each token, layer and head, "
          "and what it loses. Change a parameter and look."),
       tr("Ctrl+K finds every command, parameter and token by a few letters; ? lists the keys. F1 "
          "on a map or a dock tells about that."),
       tr("A capture comes from qaq capture --model MODEL --prompt TEXT -o FILE.h5.")}};
  return kTexts.value(part, kWindow);
}

QString ViewHelp::partOf(const QWidget* widget) {
  for (; widget; widget = widget->parentWidget()) {
    if (const auto* view = qobject_cast<const PlotView*>(widget)) return view->id();
    if (const auto* dock = qobject_cast<const QDockWidget*>(widget)) return dock->objectName();
  }
  return {};
}

}  // namespace qaq::views
