#include "core/analysis/experiment.h"

#include <array>

#include "core/analysis/accuracy_experiments.h"
#include "core/analysis/capture_experiments.h"
#include "core/analysis/cost_experiment.h"
#include "core/analysis/drift_experiment.h"
#include "core/analysis/extension_experiments.h"
#include "core/analysis/grid_experiments.h"

namespace qaq {

std::string table_stem(std::string_view experiment, const std::string& table) {
  std::string stem(experiment);
  if (!table.empty()) stem += "-" + table;
  return stem;
}

std::span<const Experiment> experiments() {
  static constexpr auto kAll = std::to_array<Experiment>({
      {"fig2a", "Accuracy by bits, one cache quantized",
       "Figure 2a: accuracy over 1 to 8 bits, LLaMA-2-7B, 1000 questions of HellaSwag: keys about "
       "0.27, 0.36, 0.76, then flat; values about 0.42, 0.775, then flat (read off).",
       ExperimentNeeds::questions, RunMode::in_the_model, run_fig2a, true},
      {"fig2b", "Where importance jumps",
       "Figure 2b: scores of layer 1, head 8 over about 51 tokens of a HellaSwag text: two keys "
       "(about 21 and 27) wake up late.",
       ExperimentNeeds::text, RunMode::batch, run_fig2b},
      {"fig2c", "How keys and values are distributed",
       "Figure 2c: histograms of all keys and values of 1000 questions, -5 to 5 in 1000 bins, "
       "LLaMA-2-7B: peaks of 6e7 (keys) and 2.7e8 (values), long tails.",
       ExperimentNeeds::questions, RunMode::batch, run_fig2c},
      {"fig3", "Accuracy by compression",
       "Figure 3: accuracy over compression ratios 1 to 10.5, three tasks (the text says four), "
       "LLaMA-2-7B and 13B: flat to 8, a slight fall at 10.",
       ExperimentNeeds::questions, RunMode::in_the_model, run_fig3, true},
      {"fig4", "QAQ against flat bits",
       "Figure 4: QAQ's settings against uniform ones of 1, 2, 3, 4, 6, 8 bits with 1 % outliers "
       "and no attention; QAQ's envelope lies above, most between ratios 8 and 11, and 1 bit "
       "collapses.",
       ExperimentNeeds::questions, RunMode::in_the_model, run_fig4, true},
      {"table1", "Compression at less than 1 % accuracy lost",
       "Table 1: QAQ on LLaMA-2-7B 7.477 (HellaSwag), 9.022 (PIQA), 7.477 (MathQA); 13B 8.394, "
       "9.024, 7.888; beside Scissorhands and H2O on OPT.",
       ExperimentNeeds::questions, RunMode::in_the_model, run_table1, true},
      {"table2", "Outliers kept or not",
       "Table 2: accuracy and compression without outliers and with 1 %. The text says 12 to 26 % "
       "better at 4 % cost; the table has 7 to 26 % relative to without, at 4.4 to 6.0 %.",
       ExperimentNeeds::questions, RunMode::in_the_model, run_table2, true},
      {"table3", "Attention window 1 or 5",
       "Table 3: accuracy and compression with windows of 1 and 5. The text says 2 to 4 % better; "
       "the table has 0.8 to 4.2 %, at lower compression, and at 1000 questions the 95 % interval "
       "is 2.8 points to each side: no single row is significant.",
       ExperimentNeeds::questions, RunMode::in_the_model, run_table3, true},
      {"bound", "Whether promised errors are kept", "", ExperimentNeeds::text, RunMode::batch,
       run_bound},
      {"cost", "What planning, quantizing and packing take", "", ExperimentNeeds::text,
       RunMode::batch, run_cost},
      {"drift", "What many steps of decode do to a quantized cache", "", ExperimentNeeds::text,
       RunMode::streaming, run_drift},
      {"ext-ema", "Moving averages in place of the attention window and q_norm", "",
       ExperimentNeeds::text, RunMode::batch, run_ext_ema},
      {"ext-hybrid", "Eviction beside quantization", "", ExperimentNeeds::text, RunMode::batch,
       run_ext_hybrid},
      {"ext-approximate", "Plans now and then, of some heads, by blocks", "", ExperimentNeeds::text,
       RunMode::batch, run_ext_approximate},
      {"ext-adaptive", "Windows that follow violations of persistence", "", ExperimentNeeds::text,
       RunMode::batch, run_ext_adaptive},
      {"ext-nsigma", "Outliers by deviation against a share, at equal packed bytes", "",
       ExperimentNeeds::text, RunMode::batch, run_ext_nsigma},
      {"ext-sparse-top-k", "Attention to the largest logits of a quantized cache alone", "",
       ExperimentNeeds::text, RunMode::batch, run_ext_sparse_top_k},
      {"ext-prune", "Quantized caches of a model with pruned weights", "", ExperimentNeeds::text,
       RunMode::in_the_model, run_ext_prune, false, true},
  });
  return kAll;
}

}  // namespace qaq
