#include "core/replay/replay.h"

#include <nlohmann/json.hpp>

#include "core/replay/replayer.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

double outlier_share(const CacheReplay& cache) {
  return static_cast<double>(cache.n_outliers) / static_cast<double>(cache.n_kept);
}

Json number_or_null(const std::optional<double>& number) {
  return number ? Json(*number) : Json(nullptr);
}

}  // namespace

nlohmann::ordered_json packed_json(const PackedBytes& packed) {
  Json out;
  for (const PackedBytesPart& part : kPackedBytesParts) out[part.name] = packed.*part.bytes;
  out["total"] = packed.total();
  return out;
}

SharedReplay replay(const CaptureView& capture, const ReplayOptions& options, const Work& work) {
  return Replayer(capture).full(options, work);
}

nlohmann::ordered_json metrics_json(const ReplayResult& result) {
  const CacheReplay &key = result.key, &value = result.value;
  Json out;
  // The authors' names in the authors' order. Accuracy and logits need a forward pass.
  out["accuracy"] = nullptr;
  out["accuracy_confidence"] = nullptr;
  out["answer_log_probability"] = nullptr;
  out["quantization_error"] = (key.quantization_error + value.quantization_error) / 2;
  out["key_quantization_error"] = key.quantization_error;
  out["value_quantization_error"] = value.quantization_error;
  out["attention_error"] = number_or_null(result.mean_attention_error);
  out["logit_error"] = nullptr;
  out["average_n_bits"] = (key.average_n_bits + value.average_n_bits) / 2;
  out["key_average_n_bits"] = key.average_n_bits;
  out["value_average_n_bits"] = value.average_n_bits;
  out["average_size"] = (key.size_per_token_bits + value.size_per_token_bits) / 2;
  out["key_average_size"] = key.size_per_token_bits;
  out["value_average_size"] = value.size_per_token_bits;
  // Ours.
  out["output_error"] = number_or_null(result.mean_output_error);
  out["ratio_paper"] = result.ratio_paper;
  out["ratio_nominal"] = result.ratio_nominal;
  out["ratio_packed"] = result.ratio_packed;
  out["key_mean_bits"] = key.mean_bits;
  out["value_mean_bits"] = value.mean_bits;
  out["key_outlier_share"] = outlier_share(key);
  out["value_outlier_share"] = outlier_share(value);
  out["kept_share"] =
      static_cast<double>(result.key.n_kept) / static_cast<double>(result.key.n_values);
  out["key_bound_unmet"] = key.n_bound_unmet;
  out["value_bound_unmet"] = value.n_bound_unmet;
  out["key_packed_bytes"] = packed_json(key.packed);
  out["value_packed_bytes"] = packed_json(value.packed);
  out["prefix"] = result.prefix;
  out["dtype_bits"] = result.dtype_bits;
  out["in_sample"] = result.in_sample;
  return out;
}

}  // namespace qaq
