// Decoding on a quantized cache: what is decoded, by which policy, and what came of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/backend.h"
#include "core/evaluate/closed_loop.h"
#include "core/evaluate/policy_decoder.h"
#include "gpu/backend.h"

namespace qaq::cases {

/// Of a tiny model's tokens: prefilled, and decoded behind it.
inline const std::vector<std::int32_t> kPrompt{5, 9, 200, 17, 42, 3, 77, 120, 8, 64, 31, 250};
inline const std::vector<std::int32_t> kNext{19, 7, 88, 143, 2, 201};

inline EngineLimits decoding_limits(DType dtype) {
  return {.max_tokens = std::ssize(kPrompt) + std::ssize(kNext),
          .max_batch = std::ssize(kPrompt),
          .dtype = dtype};
}

/// Parameters by name, of streaming or of QAQ.
using Settings = std::vector<std::pair<std::string, std::string>>;

inline DecodePolicy policy_of(const Settings& settings, DType dtype = DType::f32) {
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

/// Demoted from the device. Segments' middles are used: what lies on the mean-centred grid of many
/// bits lies exactly between the codes of fewer, and the last bit of a mean decides.
inline Settings on_device(Settings settings) {
  settings.insert(settings.begin(),
                  {{"key.range_rule", "midpoint"}, {"value.range_rule", "midpoint"}});
  return settings;
}

struct Decoded {
  std::vector<float> logits;  ///< of the prompt's last token and of each that follows
  std::vector<std::uint8_t> key_bits, value_bits;
  DecodeFigures figures;
};

inline Decoded run_decoder(PolicyDecoder& decoder) {
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
  out.figures = decoder.figures();
  return out;
}

inline Decoded decode_on_cpu(const std::shared_ptr<const ModelSource>& model,
                             const DecodePolicy& policy) {
  ClosedLoop loop(make_cpu_backend()->open(model, decoding_limits(DType::f32)), policy);
  return run_decoder(loop);
}

inline Decoded decode_on_gpu(const std::shared_ptr<const ModelSource>& model,
                             const DecodePolicy& policy) {
  return run_decoder(*make_cuda_decoder(model, decoding_limits(policy.dtype), policy));
}

}  // namespace qaq::cases
