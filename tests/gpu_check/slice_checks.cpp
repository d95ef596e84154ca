// The first layers of a real model on the GPU: in float32 against a float64 forward pass, in 16
// bits against the CPU on the same rounded weights; and its taps as they leave the ring.
#include <algorithm>
#include <filesystem>

#include "core/base/text.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "tests/gpu_check/comparison.h"
#include "tests/gpu_check/oracle_folder.h"
#include "tests/gpu_check/raw_taps.h"
#include "tests/gpu_check/slice_model.h"
#include "tests/gpu_check/steps.h"
#include "tests/support/half_numbers.h"
#include "tests/support/tiny_models.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;

// tests/data/oracle/README.md; of queries, keys and values as shares of the largest.
constexpr double kBound = 2e-5, kAttentionBound = 4e-5, kRmsBound = 1e-6;
constexpr std::int64_t kDecoded = 4;
constexpr std::int64_t kShimTokens = 8;  // in the shim, of one prompt

/// A prompt that the oracle ran, or its beginning.
struct Prompt {
  std::string file;
  std::vector<std::int64_t> tokens;
};

std::vector<Prompt> prompts(const Context& context, const OracleFolder& oracle) {
  std::vector<Prompt> all;
  for (const char* name : {"narrative", "code", "mix"}) {
    const std::string file = std::string("smollm2_forward_") + name;
    all.push_back({file, oracle.read(file, "token_ids").integers()});
  }
  if (context.options.shim) {
    all.resize(1);
    all[0].tokens.resize(kShimTokens);
  }
  return all;
}

// The first n rows of each head, and of each the first n_cols numbers, of (heads, T, columns).
std::vector<float> first_rows(const NpyArray& array, std::int64_t n, std::int64_t n_cols) {
  const std::vector<float> all = array.floats();
  const std::vector<std::int64_t>& shape = array.shape();
  std::vector<float> some;
  for (std::int64_t head = 0; head < shape.at(0); ++head) {
    for (std::int64_t row = 0; row < n; ++row) {
      const auto from = all.begin() + (head * shape.at(1) + row) * shape.at(2);
      some.insert(some.end(), from, from + n_cols);
    }
  }
  return some;
}

std::vector<CaseRow> run_slice(const std::shared_ptr<const SliceModel>& model,
                               const OracleFolder& oracle, const Prompt& prompt) {
  const auto n = std::ssize(prompt.tokens);
  test::TapRecorder taps(model->spec().shape, n);
  run_tokens(*make_cuda_backend()->open(model, {n, n}), model->ids_of(prompt.tokens), kDecoded,
             taps);
  std::vector<CaseRow> rows;
  const auto add = [&](const std::string& name, std::int64_t layer, std::span<const float> ours) {
    const std::string array = cat(name, layer);
    const bool attention = name == "attention";
    const NpyArray reference = oracle.read(prompt.file, array);
    const std::vector<float> numbers =
        first_rows(reference, n, attention ? n : reference.shape().at(2));
    // The oracle's bounds are shares of the largest of all layers that it stores.
    const double largest = oracle.read(prompt.file, name + "_largest").floats().at(0);
    const std::string of = prompt.file + ", " + array;
    rows.push_back(compare(of, ours, numbers,
                           {.most = attention ? kAttentionBound : kBound,
                            .of_largest = !attention,
                            .largest = largest}));
    rows.push_back(compare(of + ", rms", ours, numbers,
                           {.most = kRmsBound,
                            .measure = Bound::Measure::rms,
                            .of_largest = !attention,
                            .largest = largest}));
  };
  for (std::int64_t layer = 0; layer < model->spec().shape.n_layers; ++layer) {
    add("query", layer, taps.query.sub(layer).span());
    add("key", layer, taps.key.sub(layer).span());
    add("value", layer, taps.value.sub(layer).span());
    add("attention", layer, taps.attention.sub(layer).span());
  }
  return rows;
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
  const std::vector<Prompt> all = prompts(context, oracle);
  for (const Prompt& prompt : all) {
    check_twice(context, "slice", [&] { return run_slice(model, oracle, prompt); });
    const HalfModel half(prompt.file, model, DType::f16, model->ids_of(prompt.tokens),
                         test::kHalfDivergence);
    check_twice(context, "slice", [&] { return half.check(kDecoded); });
  }
  write_taps(context, model, {.ids = model->ids_of(all[0].tokens), .tokens = all[0].tokens});
}

}  // namespace qaq::gpu_check
