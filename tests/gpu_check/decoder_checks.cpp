// Decoding on a quantized cache on the GPU against the closed loop on the CPU, in float32: equal
// plans, counts and bytes. In 16 bits against itself.
#include <cstdlib>

#include "data/models/model_file.h"
#include "tests/gpu/cases/decoding.h"
#include "tests/gpu_check/comparison.h"
#include "tests/gpu_check/steps.h"
#include "tests/support/tiny_models.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;

using cases::Decoded;
using cases::on_device;
using cases::Settings;

constexpr double kBound = 2e-5;  // of logits, over the largest

void add_side(std::vector<std::int64_t>& counts, const CacheChanges& changes,
              const PackedBytes& bytes) {
  counts.insert(counts.end(), {changes.promotions, changes.demotions, changes.fetched,
                               changes.requantized_values, changes.h2d.bytes, bytes.total()});
}

std::vector<std::int64_t> counts_of(const DecodeFigures& figures) {
  std::vector<std::int64_t> counts{figures.resident_bytes, figures.full_bytes, figures.d2h.bytes};
  add_side(counts, figures.key, figures.key_bytes);
  add_side(counts, figures.value, figures.value_bytes);
  return counts;
}

std::shared_ptr<const ModelFile> tiny_model(const Context& context) {
  return open_model(context.options.data + "/" + test::kTinyModels[0].model);
}

template <class T>
CaseRow equal(const std::string& name, const std::vector<T>& ours, const std::vector<T>& theirs) {
  return {name, cases::shape_text({{"n", std::ssize(theirs)}}), cases::n_different(ours, theirs), 0,
          cases::digest_of(ours)};
}

void check_setting(Context& context, const std::string& name, const Settings& settings) {
  const auto model = tiny_model(context);
  const DecodePolicy policy = cases::policy_of(settings);
  const Decoded cpu = cases::decode_on_cpu(model, policy);
  check_twice(context, "decoder", [&] {
    const Decoded gpu = cases::decode_on_gpu(model, policy);
    return std::vector<CaseRow>{
        equal(name + ", bits of keys", gpu.key_bits, cpu.key_bits),
        equal(name + ", bits of values", gpu.value_bits, cpu.value_bits),
        equal(name + ", counts and bytes", counts_of(gpu.figures), counts_of(cpu.figures)),
        compare(name + ", logits", gpu.logits, cpu.logits, {.most = kBound})};
  });
}

// In 16 bits: graphs change no byte, and no run differs from another.
void check_half(Context& context) {
  const auto model = tiny_model(context);
  const DecodePolicy policy = cases::policy_of({}, DType::f16);
  setenv("QAQ_CUDA_GRAPH", "0", 1);
  const Decoded launched = cases::decode_on_gpu(model, policy);
  unsetenv("QAQ_CUDA_GRAPH");
  check_twice(context, "decoder", [&] {
    const Decoded played = cases::decode_on_gpu(model, policy);
    return std::vector<CaseRow>{
        equal("f16, graphs, logits", played.logits, launched.logits),
        equal("f16, graphs, bits of keys", played.key_bits, launched.key_bits),
        equal("f16, graphs, bits of values", played.value_bits, launched.value_bits)};
  });
}

}  // namespace

void check_decoder(Context& context) {
  check_setting(context, "defaults", on_device({}));
  check_setting(context, "stride", on_device({{"plan_stride", "2"}}));
  check_half(context);
  if (context.options.shim) return;  // the tests run the others there
  check_setting(context, "mean_centred", {{"demote_from", "cpu"}});
  check_setting(context, "paper", {{"variant", "paper"}});
  check_setting(context, "layer", on_device({{"key.level", "layer"}, {"value.level", "layer"}}));
  check_setting(context, "token", on_device({{"key.level", "token"}, {"value.level", "token"}}));
  check_setting(context, "outliers", on_device({{"key.outliers_ratio", "0.1"}}));
  check_setting(context, "ema", on_device({{"importance", "ema"}}));
  check_setting(context, "patience",
                on_device({{"demote_patience", "3"}, {"promote_hysteresis", "1"}}));
  check_setting(context, "fixed", {{"key.use_attentions", "off"}, {"value.use_attentions", "off"}});
}

}  // namespace qaq::gpu_check
