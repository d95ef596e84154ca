// Decoding on a quantized cache on the GPU against the closed loop on the CPU, in float32: equal
// plans, counts and bytes. In 16 bits against itself.
#include <algorithm>
#include <cstdlib>

#include "core/engine/backend.h"
#include "core/evaluate/closed_loop.h"
#include "data/models/model_file.h"
#include "gpu/backend.h"
#include "tests/gpu_check/comparison.h"
#include "tests/gpu_check/steps.h"
#include "tests/support/tiny_models.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;

const std::vector<std::int32_t> kPrompt{5, 9, 200, 17, 42, 3, 77, 120, 8, 64, 31, 250};
const std::vector<std::int32_t> kNext{19, 7, 88, 143, 2, 201};
constexpr double kBound = 2e-5;  // of logits, over the largest

using Settings = std::vector<std::pair<std::string, std::string>>;

DecodePolicy policy_of(const Settings& settings, DType dtype) {
  DecodePolicy policy{.dtype = dtype};
  for (const auto& [name, value] : settings) {
    const auto streaming = list_parameters(policy.streaming);
    if (std::ranges::find(streaming, name, &Parameter::name) != streaming.end()) {
      set_parameter(policy.streaming, name, value);
    } else {
      set_parameter(policy.params, name, value);
    }
  }
  return policy;
}

struct Decoded {
  std::vector<float> logits;  // of the prompt's last token and of each that follows
  std::vector<std::uint8_t> key_bits, value_bits;
  std::vector<std::int64_t> counts;  // of changes and bytes
};

void add_side(std::vector<std::int64_t>& counts, const CacheChanges& changes,
              const PackedBytes& bytes) {
  counts.insert(counts.end(), {changes.promotions, changes.demotions, changes.fetched,
                               changes.requantized_values, changes.h2d.bytes, bytes.total()});
}

Decoded run(PolicyDecoder& decoder) {
  Decoded out;
  const auto keep = [&] {
    out.logits.insert(out.logits.end(), decoder.logits().begin(), decoder.logits().end());
  };
  decoder.prefill(kPrompt, {});
  keep();
  for (const std::int32_t id : kNext) {
    decoder.decode(id, {});
    keep();
  }
  out.key_bits = decoder.n_bits(CacheSide::key);
  out.value_bits = decoder.n_bits(CacheSide::value);
  const DecodeFigures figures = decoder.figures();
  add_side(out.counts, figures.key, figures.key_bytes);
  add_side(out.counts, figures.value, figures.value_bytes);
  out.counts.insert(out.counts.end(),
                    {figures.resident_bytes, figures.full_bytes, figures.d2h.bytes});
  return out;
}

/// A tiny model under some policy.
class Decoding {
 public:
  Decoding(const Context& context, DecodePolicy policy)
      : model_(open_model(context.options.data + "/" + test::kTinyModels[0].model)),
        policy_(std::move(policy)),
        limits_{.max_tokens = std::ssize(kPrompt) + std::ssize(kNext),
                .max_batch = std::ssize(kPrompt),
                .dtype = policy_.dtype} {}

  Decoded on_cpu() const {
    ClosedLoop loop(make_cpu_backend()->open(model_, limits_), policy_);
    return run(loop);
  }
  Decoded on_gpu() const { return run(*make_cuda_decoder(model_, limits_, policy_)); }

 private:
  std::shared_ptr<const ModelFile> model_;
  DecodePolicy policy_;
  EngineLimits limits_;
};

template <class T>
CaseRow equal(const std::string& name, const std::vector<T>& ours, const std::vector<T>& theirs) {
  return {name, cases::shape_text({{"n", std::ssize(theirs)}}), cases::n_different(ours, theirs), 0,
          cases::digest_of(ours)};
}

void check_setting(Context& context, const std::string& name, const Settings& settings) {
  const Decoding decoding(context, policy_of(settings, DType::f32));
  const Decoded cpu = decoding.on_cpu();
  check_twice(context, "decoder", [&] {
    const Decoded gpu = decoding.on_gpu();
    return std::vector<CaseRow>{
        equal(name + ", bits of keys", gpu.key_bits, cpu.key_bits),
        equal(name + ", bits of values", gpu.value_bits, cpu.value_bits),
        equal(name + ", counts and bytes", gpu.counts, cpu.counts),
        compare(name + ", logits", gpu.logits, cpu.logits, {.most = kBound})};
  });
}

// Demoted from the device. Segments' middles are used: what lies on the mean-centred grid of many
// bits lies exactly between the codes of fewer, and the last bit of a mean decides.
Settings on_device(Settings settings) {
  settings.insert(settings.begin(),
                  {{"key.range_rule", "midpoint"}, {"value.range_rule", "midpoint"}});
  return settings;
}

// In 16 bits: graphs change no byte, and no run differs from another.
void check_half(Context& context) {
  const Decoding decoding(context, policy_of({}, DType::f16));
  setenv("QAQ_CUDA_GRAPH", "0", 1);
  const Decoded launched = decoding.on_gpu();
  unsetenv("QAQ_CUDA_GRAPH");
  check_twice(context, "decoder", [&] {
    const Decoded played = decoding.on_gpu();
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
