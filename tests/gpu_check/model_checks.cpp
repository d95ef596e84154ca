// The engine on the GPU against float64 forward passes of tiny models, and against the CPU.
#include <algorithm>
#include <span>

#include "core/base/error.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "tests/gpu_check/oracle_folder.h"
#include "tests/gpu_check/steps.h"
#include "tests/support/deviation.h"
#include "tests/support/tap_recorder.h"
#include "tests/support/tiny_models.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;
using test::TinyModel;

constexpr std::int64_t kDecoded = 4;
constexpr double kBound = 1e-5;  // tests/data/oracle/README.md
constexpr std::int64_t kContinued = 32;

std::vector<std::int32_t> prompt_of(const OracleFolder& oracle, const char* reference) {
  std::vector<std::int32_t> ids;
  for (const std::int64_t id : oracle.read(reference, "token_ids").integers()) {
    ids.push_back(static_cast<std::int32_t>(id));
  }
  if (std::ssize(ids) <= kDecoded) {
    refuse_input({.file = reference, .place = "token_ids", .what = "too few tokens"});
  }
  return ids;
}

// Within the bound of the oracle: of probabilities the error itself, of other arrays over the
// largest number.
CaseRow compare(std::span<const float> ours, const NpyArray& reference, const std::string& name) {
  const std::vector<float> numbers = reference.floats();
  test::Deviation d;
  if (ours.size() == numbers.size()) d.add<float, float>(ours, numbers);
  std::string shape;
  for (const std::int64_t extent : reference.shape()) {
    shape += (shape.empty() ? "" : " x ") + std::to_string(extent);
  }
  // Nothing to compare, or nothing but zeros, proves nothing.
  const bool empty = d.n == 0 || !(d.max_reference > 0);
  const double worst = empty                 ? std::numeric_limits<double>::infinity()
                       : name == "attention" ? d.max_abs
                                             : d.max_relative();
  return {name, shape, worst, kBound, cases::digest_of({ours.begin(), ours.end()})};
}

// All but the last tokens in one batch, those one by one.
std::vector<CaseRow> run_model(const Context& context, const OracleFolder& oracle,
                               const TinyModel& tiny) {
  const std::vector<std::int32_t> ids = prompt_of(oracle, tiny.reference);
  const auto n = std::ssize(ids);
  const auto model = open_model(context.options.data + "/" + tiny.model);
  test::TapRecorder taps(model->spec().shape, n);
  const auto engine = make_cuda_backend()->open(model, {n, n});
  engine->run(std::span(ids).first(static_cast<std::size_t>(n - kDecoded)), &taps);
  for (std::int64_t i = n - kDecoded; i < n; ++i) {
    engine->run(std::span(ids).subspan(static_cast<std::size_t>(i), 1), &taps);
  }

  std::vector<CaseRow> rows;
  const auto add = [&](const char* name, std::span<const float> ours) {
    if (!oracle.has(tiny.reference, name)) return;
    rows.push_back(compare(ours, oracle.read(tiny.reference, name), name));
    rows.back().name = std::string(tiny.model) + ", " + name;
  };
  add("query", taps.query.span());
  add("key", taps.key.span());
  add("value", taps.value.span());
  add("attention", taps.attention.span());
  add("logits", taps.logits.span());
  return rows;
}

std::vector<std::int32_t> continued(const Backend& backend,
                                    const std::shared_ptr<const ModelFile>& model,
                                    const std::vector<std::int32_t>& prompt) {
  const auto n = std::ssize(prompt);
  const auto engine = backend.open(model, {n + kContinued, n});
  engine->run(prompt);
  std::vector<std::int32_t> tokens;
  while (std::ssize(tokens) < kContinued) {
    tokens.push_back(engine->greedy_token());
    engine->run({&tokens.back(), 1});
  }
  return tokens;
}

}  // namespace

void check_models(Context& context) {
  const OracleFolder oracle(context.options.oracle);
  for (const TinyModel& tiny : test::kTinyModels) {
    try {
      check_twice(context, "models", [&] { return run_model(context, oracle, tiny); });
    } catch (const std::exception& error) {
      context.report.fail("correct", tiny.model, error.what());
    }
  }
}

// Counts tokens other than the CPU's.
void check_greedy(Context& context) {
  const TinyModel& tiny = test::kTinyModels[0];
  const auto model = open_model(context.options.data + "/" + tiny.model);
  const std::vector<std::int32_t> prompt =
      prompt_of(OracleFolder(context.options.oracle), tiny.reference);
  const std::vector<std::int32_t> want = continued(*make_cpu_backend(), model, prompt);
  check_twice(context, "greedy", [&] {
    const std::vector<std::int32_t> got = continued(*make_cuda_backend(), model, prompt);
    double n_different = 0;
    for (std::size_t i = 0; i < want.size(); ++i) n_different += got[i] == want[i] ? 0 : 1;
    return std::vector<CaseRow>{
        {"greedy", cases::shape_text({{"prompt", std::ssize(prompt)}, {"tokens", kContinued}}),
         n_different, 0, cases::digest_of({got.begin(), got.end()})}};
  });
}

}  // namespace qaq::gpu_check
