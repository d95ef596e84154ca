// The first layers of a real model on the GPU: in float32 against a float64 forward pass, in 16
// bits against the CPU on the same rounded weights; and its taps as they leave the ring.
#include <filesystem>
#include <numeric>

#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "tests/gpu_check/comparison.h"
#include "tests/gpu_check/oracle_folder.h"
#include "tests/gpu_check/raw_taps.h"
#include "tests/gpu_check/slice_model.h"
#include "tests/gpu_check/smollm2_oracle.h"
#include "tests/gpu_check/steps.h"
#include "tests/support/half_numbers.h"
#include "tests/support/tiny_models.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;

constexpr std::int64_t kDecoded = 4;
constexpr std::int64_t kShimTokens = 8;

// In the shim one of them, and its beginning alone.
std::vector<OraclePrompt> prompts(const Context& context, const OracleFolder& oracle) {
  std::vector<OraclePrompt> all = oracle_prompts(oracle);
  if (context.options.shim) {
    all.resize(1);
    all[0].tokens.resize(kShimTokens);
  }
  return all;
}

std::vector<CaseRow> run_slice(const std::shared_ptr<const SliceModel>& model,
                               const OracleFolder& oracle, const OraclePrompt& prompt) {
  const auto n = std::ssize(prompt.tokens);
  test::TapRecorder taps(model->spec().shape, n);
  run_tokens(*make_cuda_backend()->open(model, {n, n}), model->ids_of(prompt.tokens), kDecoded,
             taps);
  std::vector<std::int64_t> layers(static_cast<std::size_t>(model->spec().shape.n_layers));
  std::iota(layers.begin(), layers.end(), 0);
  return compare_layers(oracle, prompt, layers, taps);
}

// In 16 bits, as a capture is made of it.
void write_taps(const Context& context, const std::shared_ptr<const ModelSource>& model,
                RawTaps::Origin origin) {
  if (context.options.out.empty()) return;
  const auto n = std::ssize(origin.ids);
  origin.dtype = DType::f16;
  origin.device = context.report.machine.name;
  origin.commit = context.report.commit;
  const EngineLimits limits{.max_tokens = n, .max_batch = n, .dtype = origin.dtype};
  RawTaps taps(context.options.out + "/taps");
  run_tokens(*make_cuda_backend()->open(model, limits), origin.ids, kDecoded, taps);
  taps.finish(*model, origin);
}

void write_taps_of_tiny_model(const Context& context) {
  const auto model = open_model(context.options.data + "/" + test::kTinyModels[0].model);
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < 16; ++i) ids.push_back(i * 37 % 256);
  write_taps(context, model, {.ids = ids, .tokens = {ids.begin(), ids.end()}});
}

}  // namespace

void check_slice(Context& context) {
  if (!std::filesystem::exists(context.options.slice + "/manifest.json")) {
    context.report.skip("correct", "slice",
                        "no slice of a model in '" + context.options.slice + "'");
    return write_taps_of_tiny_model(context);
  }
  const OracleFolder oracle(context.options.oracle);
  const auto model = std::make_shared<const SliceModel>(context.options.slice);
  const std::vector<OraclePrompt> all = prompts(context, oracle);
  for (const OraclePrompt& prompt : all) {
    check_twice(context, "slice", [&] { return run_slice(model, oracle, prompt); });
    const HalfModel half(prompt.file, model, DType::f16, model->ids_of(prompt.tokens),
                         test::kHalfDivergence);
    check_twice(context, "slice", [&] { return half.check(kDecoded); });
  }
  write_taps(context, model, {.ids = model->ids_of(all[0].tokens), .tokens = all[0].tokens});
}

}  // namespace qaq::gpu_check
