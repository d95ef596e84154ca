// A whole model on the GPU, where its parts were joined: in float32 against a float64 forward pass.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "core/engine/backend.h"
#include "core/tensor/logits_summary.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "tests/gpu_check/comparison.h"
#include "tests/gpu_check/smollm2_oracle.h"
#include "tests/gpu_check/steps.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;

// tests/data/oracle/README.md; of logits as shares of the largest.
constexpr double kLogitsBound = 2e-5, kLogitsRmsBound = 2e-6, kSumBound = 5e-4;
constexpr std::int64_t kDecoded = 4;  // of a prompt's tokens
constexpr std::int64_t kShimContinued = 4;

const std::vector<std::int64_t>& layers() {
  static const std::vector<std::int64_t> all{0, 1, 14, 29};  // that the oracle has
  return all;
}

/// Where the model runs. The shim would take hours over it: there the CPU shows that what is
/// compared here is compared rightly.
std::unique_ptr<Backend> backend(const Context& context) {
  return context.options.shim ? make_cpu_backend() : make_cuda_backend();
}

std::vector<std::int32_t> narrow(const std::vector<std::int64_t>& tokens) {
  return {tokens.begin(), tokens.end()};
}

// The oracle keeps logits of the last tokens, and of every token the largest and the sum.
std::vector<CaseRow> compare_logits(const OracleFolder& oracle, const std::string& file,
                                    const NdArray<float, 2>& logits) {
  std::vector<float> tail, largest, sums;
  for (const std::int64_t row : oracle.read(file, "tail_positions").integers()) {
    const auto numbers = logits.sub(row).span();
    tail.insert(tail.end(), numbers.begin(), numbers.end());
  }
  const std::vector<std::int64_t> choices = oracle.read(file, "argmax_token").integers();
  double n_other = std::abs(static_cast<double>(std::ssize(choices) - logits.shape(0)));
  for (std::int64_t row = 0; row < logits.shape(0); ++row) {
    const LogitsSummary summary = summarize_logits(logits.sub(row).span(), 1);
    largest.push_back(summary.argmax_logit);
    sums.push_back(summary.logsumexp);
    n_other += summary.argmax == choices.at(static_cast<std::size_t>(row)) ? 0 : 1;
  }
  const auto compared = [&](const char* array, const std::vector<float>& ours, const Bound& bound) {
    const std::string rms = bound.measure == Bound::Measure::rms ? ", rms" : "";
    return compare(cat(file, ", ", array, rms), ours, oracle.read(file, array).floats(), bound);
  };
  return {compared("logits_tail", tail, {.most = kLogitsBound}),
          compared("logits_tail", tail, {.most = kLogitsRmsBound, .measure = Bound::Measure::rms}),
          compared("argmax_logit", largest, {.most = kLogitsBound}),
          compared("logsumexp", sums, {.most = kSumBound, .of_largest = false}),
          {file + ", other choices", cases::shape_text({{"n", std::ssize(choices)}}), n_other, 0,
           cases::digest_of(sums)}};
}

std::vector<CaseRow> run_prompt(const Context& context, const OracleFolder& oracle,
                                const std::shared_ptr<const ModelSource>& model,
                                const OraclePrompt& prompt) {
  const auto n = std::ssize(prompt.tokens);
  test::TapRecorder taps(model->spec().shape, n);
  run_tokens(*backend(context)->open(model, {n, n}), narrow(prompt.tokens), kDecoded, taps);
  std::vector<CaseRow> rows = compare_layers(oracle, prompt, layers(), taps);
  for (CaseRow& row : compare_logits(oracle, prompt.file, taps.logits)) {
    rows.push_back(std::move(row));
  }
  return rows;
}

// Counts tokens other than the oracle's.
CaseRow continue_prompt(const Context& context, const std::shared_ptr<const ModelSource>& model,
                        const nlohmann::json& reference) {
  const auto prompt = reference.at("prompt_ids").get<std::vector<std::int32_t>>();
  auto want = reference.at("oracle_ids").get<std::vector<std::int32_t>>();
  if (context.options.shim) want.resize(kShimContinued);
  const auto n = std::ssize(prompt), n_new = std::ssize(want);
  const auto engine = backend(context)->open(model, {n + n_new, n});
  engine->run(prompt);
  std::vector<std::int32_t> got;
  double n_other = 0;
  for (const std::int32_t token : want) {
    got.push_back(engine->greedy_token());
    n_other += got.back() == token ? 0 : 1;
    engine->run({&got.back(), 1});
  }
  return {cat("greedy, ", reference.at("name").get<std::string>()),
          cases::shape_text({{"prompt", n}, {"tokens", n_new}}), n_other, 0, cases::digest_of(got)};
}

}  // namespace

void check_whole_model(Context& context) {
  const std::string& file = context.options.model;
  if (!std::filesystem::exists(file)) {
    return context.report.skip("correct", "whole_model", "no model '" + file + "'");
  }
  const OracleFolder oracle(context.options.oracle);
  const std::shared_ptr<const ModelSource> model = open_model(file);
  std::vector<OraclePrompt> prompts = oracle_prompts(oracle);
  std::ifstream in(context.options.data + "/oracle/greedy.json");
  nlohmann::json greedy = nlohmann::json::parse(in).at("cases");
  std::string group = "whole_model";
  if (context.options.shim) {
    group += ", on the CPU";
    prompts.resize(1);
    greedy.erase(greedy.begin() + 1, greedy.end());
  }
  for (const OraclePrompt& prompt : prompts) {
    check_twice(context, group, [&] { return run_prompt(context, oracle, model, prompt); });
  }
  check_twice(context, group, [&] {
    std::vector<CaseRow> rows;
    for (const nlohmann::json& one : greedy) rows.push_back(continue_prompt(context, model, one));
    return rows;
  });
}

}  // namespace qaq::gpu_check
