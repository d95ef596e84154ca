// The engine on the GPU against float64 forward passes of tiny models, and against the CPU.
#include <algorithm>
#include <cstdlib>
#include <span>

#include "core/base/error.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "tests/gpu_check/comparison.h"
#include "tests/gpu_check/oracle_folder.h"
#include "tests/gpu_check/steps.h"
#include "tests/support/half_numbers.h"
#include "tests/support/tiny_models.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;
using test::TinyModel;

constexpr std::int64_t kDecoded = 4;
constexpr double kBound = 1e-5;  // tests/data/oracle/README.md
constexpr std::int64_t kContinued = 32;
constexpr std::size_t kShimModels = 2;
constexpr std::int64_t kGiven = 509, kBehind = 6;  // tokens; a graph serves 512

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

std::vector<CaseRow> run_model(const Context& context, const OracleFolder& oracle,
                               const TinyModel& tiny) {
  const std::vector<std::int32_t> ids = prompt_of(oracle, tiny.reference);
  const auto n = std::ssize(ids);
  const auto model = open_model(context.options.data + "/" + tiny.model);
  test::TapRecorder taps(model->spec().shape, n);
  const auto engine = make_cuda_backend()->open(model, {n, n});
  run_tokens(*engine, ids, kDecoded, taps);

  std::vector<CaseRow> rows;
  const auto add = [&](const std::string& name, std::span<const float> ours) {
    if (!oracle.has(tiny.reference, name)) return;
    // Of probabilities the error itself.
    rows.push_back(compare(std::string(tiny.model) + ", " + name, ours,
                           oracle.read(tiny.reference, name).floats(),
                           {.most = kBound, .of_largest = name != "attention"}));
  };
  add("query", taps.query.span());
  add("key", taps.key.span());
  add("value", taps.value.span());
  add("attention", taps.attention.span());
  add("logits", taps.logits.span());
  return rows;
}

/// A cache of so many tokens, the same on every run.
Engine::LayerCache made_up_cache(const ModelShape& s, std::int64_t layer) {
  const auto made_up = [&](std::int64_t seed) {
    auto numbers = std::make_shared<NdArray<float, 3>>(Shape<3>{s.n_kv_heads, kGiven, s.head_dim});
    cases::Numbers random(static_cast<std::uint32_t>(2 * layer + seed));
    for (float& x : numbers->span()) x = random.bell();
    return numbers;
  };
  return {made_up(0), made_up(1)};
}

std::vector<float> logits_behind_a_cache(const std::shared_ptr<const ModelFile>& model,
                                         bool graphs) {
  setenv("QAQ_CUDA_GRAPH", graphs ? "1" : "0", 1);
  const ModelShape& s = model->spec().shape;
  const auto engine = make_cuda_backend()->open(
      model, {.max_tokens = kGiven + kBehind, .max_batch = 1, .dtype = DType::f16});
  engine->resume(kGiven, [&](std::int64_t layer) { return made_up_cache(s, layer); });
  std::vector<float> all;
  for (std::int32_t id = 0; id < kBehind; ++id) {
    engine->run({&id, 1});
    all.insert(all.end(), engine->logits().begin(), engine->logits().end());
  }
  unsetenv("QAQ_CUDA_GRAPH");
  return all;
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

// Each model once, whatever its files, and one of them in bfloat16.
void check_half_models(Context& context) {
  const OracleFolder oracle(context.options.oracle);
  const auto check = [&](const TinyModel& tiny, DType dtype) {
    const HalfModel model(tiny.model, open_model(context.options.data + "/" + tiny.model), dtype,
                          prompt_of(oracle, tiny.reference), test::kTinyDivergence);
    check_twice(context, "half_models", [&] { return model.check(kDecoded); });
  };
  check(test::kTinyModels[0], DType::bf16);
  std::vector<std::string> done;
  for (const TinyModel& tiny : test::kTinyModels) {
    if (std::ranges::find(done, tiny.reference) != done.end()) continue;
    if (context.options.shim && done.size() == kShimModels)
      break;  // the tests run all of them there
    done.emplace_back(tiny.reference);
    check(tiny, DType::f16);
  }
}

// Logits of six tokens behind 509, so that a graph is captured, played, and another one captured:
// of the same bytes as launch by launch.
void check_graphs(Context& context) {
  const auto model = open_model(context.options.data + "/" + test::kTinyModels[0].model);
  const std::vector<float> launched = logits_behind_a_cache(model, false);
  check_twice(context, "graphs", [&] {
    const std::vector<float> played = logits_behind_a_cache(model, true);
    return std::vector<CaseRow>{
        {"decode, graph = launches", cases::shape_text({{"keys", kGiven}, {"tokens", kBehind}}),
         cases::n_different(launched, played), 0, cases::digest_of(played)}};
  });
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
