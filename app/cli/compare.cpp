#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/printable.h"
#include "app/cli/prune_flag.h"
#include "app/wiring/cpu_engines.h"
#include "app/wiring/inputs.h"
#include "core/analysis/array_deltas.h"
#include "core/analysis/comparison.h"
#include "core/analysis/run_tradeoff.h"
#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "core/base/text.h"
#include "core/evaluate/prefix_run.h"
#include "data/capture/capture_file.h"
#include "data/capture/run_name.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

struct CompareCommand {
  std::string a, b;
  std::string model;
  double prune_weights = 0;
};

std::shared_ptr<const CaptureView> opened(const RunName& name, const RunName& other,
                                          const std::shared_ptr<const CaptureView>& capture,
                                          const Work& work) {
  return name.file == other.file ? capture : open_capture(name.file, work);
}

// What the model says behind the quantized prefix, which is the capture's own text.
class ScoredRuns {
 public:
  ScoredRuns(const CompareCommand& options, const CaptureInfo& info, const Work& work)
      : ids_(info.token_ids),
        run_(cpu_engines(open_model_of(options.model, info, options.prune_weights, work),
                         {info.n_tokens, info.n_tokens}, work),
             PrefixRun::Settings{}, info.dtype) {}

  /// What each setting gives behind so many tokens.
  std::vector<TailScores> scores(const std::vector<QaqParams>& settings, std::int64_t prefix,
                                 const Work& work) {
    const std::span<const std::int32_t> ids(ids_);
    const auto p = static_cast<std::size_t>(prefix);
    std::vector<std::int32_t> next(ids.begin() + prefix + 1, ids.end());
    next.push_back(-1);
    run_.set_settings(settings);
    run_.set_prefix(ids.first(p), work);
    return run_.run_tail({ids.subspan(p), next, false}, work);
  }

 private:
  std::vector<std::int32_t> ids_;
  PrefixRun run_;
};

// A model runs with QAQ alone so far.
QaqParams params_of(const ComparedRun& run) {
  if (!run.replay) return exact_params().qaq;
  const ScopeParams params = summary_of(*run.replay).params;
  if (!params.is_qaq()) {
    refuse_usage({.place = "--model",
                  .what = cat("runs what qaq quantizes, and ", run.name, " is of ", params.policy),
                  .cure = "leave it out: bits, bytes and errors are compared without it"});
  }
  return params.qaq;
}

// Of the run, or of the other where this is a whole cache.
std::int64_t prefix_of(const ComparedRun& run, const ComparedRun& other) {
  const CaptureInfo& info = run.capture->info();
  const SharedReplay& replay = run.replay ? run.replay : other.replay;
  const std::int64_t prefix = replay ? replay->prefix : info.n_tokens;
  if (prefix >= info.n_tokens) {
    refuse_input(
        {.file = run.name,
         .what = "quantizes every token, so that none is left for the model to predict",
         .cure = cat("replay with --prefix below ", info.n_tokens, ", or leave --model out")});
  }
  return prefix;
}

void add_scores(const CompareCommand& options, ComparedRun& a, ComparedRun& b, const Work& work) {
  const std::int64_t prefix_a = prefix_of(a, b), prefix_b = prefix_of(b, a);
  ScoredRuns runs(options, a.capture->info(), work);
  if (a.capture == b.capture && prefix_a == prefix_b) {
    std::vector<TailScores> both = runs.scores({params_of(a), params_of(b)}, prefix_a, work);
    a.scores = std::move(both[0].positions);
    b.scores = std::move(both[1].positions);
    return;
  }
  a.scores = runs.scores({params_of(a)}, prefix_a, work).front().positions;
  if (a.capture == b.capture) {
    b.scores = runs.scores({params_of(b)}, prefix_b, work).front().positions;
  } else {
    b.scores = ScoredRuns(options, b.capture->info(), work)
                   .scores({params_of(b)}, prefix_b, work)
                   .front()
                   .positions;
  }
}

// `sign`: "+" where it is a difference.
std::string number(double value, const std::string& unit, const char* sign = "") {
  char buffer[32];
  const auto format = [&](const char* end, double x, const char* text) {
    std::snprintf(buffer, sizeof buffer, cat("%", sign, end).c_str(), x);
    return cat(buffer, text);
  };
  if (unit == "%") return format(".1f", 100 * value, *sign ? " pp" : " %");
  if (unit != "byte") return format(".4g", value, "");
  const std::string size = byte_text(std::llround(std::abs(value)));
  return value < 0 ? cat("-", size) : cat(sign, size);
}

std::string title_of(const MetricDelta& m) {
  return m.unit == "nat" ? cat(m.title, ", nat") : m.title;
}

void print_metrics(const Comparison& comparison) {
  if (comparison.metrics.empty()) return;
  std::printf("  %-26s %11s %11s %11s %10s  %-24s %s\n", "", "A", "B", "B - A", "relative",
              "95 % interval of B - A", "B is");
  for (const MetricDelta& m : comparison.metrics) {
    const std::string relative = m.relative() ? number(100 * *m.relative(), "1", "+") : "";
    const std::string interval = m.interval ? cat(number(m.interval->low, m.unit, "+"), " ... ",
                                                  number(m.interval->high, m.unit, "+"))
                                            : std::string("exact");
    const std::string word(ChoiceNames<DeltaWord>::names[static_cast<std::size_t>(m.word())]);
    std::printf("  %-26s %11s %11s %11s %10s  %-24s %s%s\n", title_of(m).c_str(),
                number(m.a, m.unit).c_str(), number(m.b, m.unit).c_str(),
                number(m.absolute(), m.unit, "+").c_str(),
                relative.empty() ? "" : cat(relative, " %").c_str(), interval.c_str(), word.c_str(),
                m.in_noise() && m.a != m.b ? ", within the noise" : "");
  }
}

void print_comparison(const ComparedRun& a, const ComparedRun& b, const Comparison& comparison) {
  std::printf("A  %s\nB  %s\n", printable(a.name).c_str(), printable(b.name).c_str());
  if (!comparison.remark.empty()) std::printf("%s\n", comparison.remark.c_str());
  if (!comparison.settings.empty()) {
    std::printf("  %-36s %16s %16s\n", "settings that differ", "A", "B");
    for (const SettingDelta& s : comparison.settings) {
      std::printf("  %-36s %16s %16s\n", s.name.c_str(), s.a.empty() ? "-" : s.a.c_str(),
                  s.b.empty() ? "-" : s.b.c_str());
    }
  }
  print_metrics(comparison);
}

void print_arrays(const std::vector<ArrayDelta>& arrays) {
  for (const ArrayDelta& x : arrays) {
    std::printf(
        "  %-10s rms %s in A, %s in B; of B - A %s, at most %s (layer %d, head %lld, "
        "token %lld)\n",
        x.name.c_str(), number(x.rms_a, "1").c_str(), number(x.rms_b, "1").c_str(),
        number(x.rms_difference, "1").c_str(), number(x.max_difference, "1").c_str(), x.layer,
        static_cast<long long>(x.head), static_cast<long long>(x.token));
  }
}

void run(const CompareCommand& options, const CommonOptions& common) {
  require_device(common.device);
  const Stopwatch total;
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  const RunName name_a = parse_run_name(options.a), name_b = parse_run_name(options.b);
  ComparedRun a{.name = options.a, .capture = open_capture(name_a.file, work)};
  ComparedRun b{.name = options.b, .capture = opened(name_b, name_a, a.capture, work)};
  if (!name_a.run.empty()) a.replay = load_run(name_a.file, name_a.run);
  if (!name_b.run.empty()) b.replay = load_run(name_b.file, name_b.run);
  if (a.capture == b.capture && !a.replay && !b.replay) {
    refuse_usage({.place = options.b,
                  .what = "is what it is compared with",
                  .cure = "name a run of it, as in story.h5#paper, or another capture"});
  }
  if (!options.model.empty()) {
    const Alignment alignment = align(a.capture->info(), b.capture->info());
    if (alignment.allowed()) add_scores(options, a, b, work);
  }
  const Comparison comparison = compare(a, b, work);
  std::vector<ArrayDelta> arrays;
  if (a.capture != b.capture) {
    arrays = array_deltas(comparison.alignment, *a.capture, *b.capture, work);
  }
  if (!common.json) {
    print_comparison(a, b, comparison);
    print_arrays(arrays);
    return;
  }
  Json document{{"a", options.a}, {"b", options.b}};
  document.update(comparison_json(comparison));
  document["arrays"] = array_deltas_json(arrays);
  document["timing"] = {{"total", total.seconds()}};
  print_json(document);
}

}  // namespace

void add_compare(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<CompareCommand>();
  CLI::App* command = program.add_subcommand(
      "compare", "Two runs or captures: what differs, and whether it is more than noise");
  command->add_option("A", options->a, "CAPTURE.h5#RUN, or CAPTURE.h5: its whole cache")
      ->required();
  command->add_option("B", options->b, "The same, held against A")->required();
  command->add_option(
      "--model", options->model,
      "Also runs the model behind both quantized prefixes: KL, same top token, NLL");
  add_prune_flag(*command, options->prune_weights)->needs("--model");
  command->footer(
      "Each metric has A, B, B - A, what that is of A, and whether B is better, worse or the same. "
      "Means\n"
      "over steps have the 95 % interval of their paired difference (bootstrap over steps); where "
      "it "
      "holds 0\n"
      "the two are the same as far as these steps can tell. Of bits, bytes and errors of all cells "
      "there is\n"
      "no more to be had: exact. Runs of different models, tokenizers or prompts are refused; "
      "those of\n"
      "different lengths or layers are compared over what both have, which is said.\n"
      "Two captures also have their keys, values, queries and attention compared.\n"
      "\n"
      "Examples:\n"
      "  qaq replay story.h5 --preset paper --prefix 64 --save paper\n"
      "  qaq replay story.h5 --set target_quantization_error=0.01 --prefix 64 --save tight\n"
      "  qaq compare story.h5#paper story.h5#tight\n"
      "  qaq compare story.h5#paper story.h5#tight --model smollm2-135m --json\n"
      "  qaq compare story.h5 story.h5#paper          # the whole cache against a quantized one\n"
      "  qaq compare cpu.h5 gpu.h5                    # what two captures hold of one text");
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
