#include "data/capture/capture_layout.h"

namespace qaq {
namespace {

const std::vector<std::string> kKvAxes{"layer", "kv_head", "token", "channel"};
const std::vector<std::string> kTokenAxes{"layer", "kv_head", "token"};
const std::vector<std::string> kHeadAxes{"layer", "head", "token"};
const std::vector<std::string> kRowAxes{"layer", "head", "query_token"};
const std::vector<std::string> kStepAxes{""};
const std::vector<std::string> kRangeAxes{"layer", "kv_head", "channel", ""};

}  // namespace

const std::vector<DatasetMeaning>& entry_datasets() {
  static const std::vector<DatasetMeaning> list{
      {"prompt/token_ids", {"token"}, "Token ids", "1"},
      {"prompt/token_text", {"token"}, "Tokens, display form", "1"},
      {"prompt/token_bytes", {"token"}, "Tokens, bytes", "1"},
      {"kv/key", kKvAxes, "Keys after RoPE, half-split convention", "1", "Keys, without RoPE"},
      {"kv/value", kKvAxes, "Values", "1"},
      {"query/values",
       {"layer", "head", "token", "channel"},
       "Queries after RoPE, unscaled",
       "1",
       "Queries, without RoPE, unscaled"},
      {"query/norm2", kHeadAxes, "Squared 2-norm of each query, unscaled", "1"},
      {"attention/scores",
       {"layer", "head", "query_token", "token"},
       "Attention after the softmax",
       "1"},
      {"attention/query_token", {"query_token"}, "Position of each attention row", "token"},
      {"logits/argmax", {"token"}, "Most likely next token", "1"},
      {"logits/argmax_logit", {"token"}, "Logit of the most likely next token", "1"},
      {"logits/logsumexp", {"token"}, "Logarithm of the summed exponentials of the logits", "nat"},
      {"logits/topk_ids", {"token", ""}, "Most likely next tokens", "1"},
      {"logits/topk_logits", {"token", ""}, "Logits of the most likely next tokens", "1"},
      {"stats/importance_window", kTokenAxes, "Largest attention in the last rows", "1"},
      {"stats/importance_sum", kTokenAxes, "Attention summed over all rows", "1"},
      {"stats/entropy", kHeadAxes, "Entropy of each query's attention", "nat"},
      {"stats/key_range", kRangeAxes, "Minimum and maximum of each key channel", "1"},
      {"stats/value_range", kRangeAxes, "Minimum and maximum of each value channel", "1"},
  };
  return list;
}

const std::vector<DatasetMeaning>& run_datasets() {
  static const std::vector<DatasetMeaning> list{
      {"key_bits", kTokenAxes, "Bits of each key", "bit"},
      {"value_bits", kTokenAxes, "Bits of each value", "bit"},
      {"key_outliers",
       {"layer", "kv_head", "token", ""},
       "Keys kept exactly, packed along channels, most significant bit first",
       "1"},
      {"value_outliers",
       {"layer", "kv_head", "token", ""},
       "Values kept exactly, packed along channels, most significant bit first",
       "1"},
      {"key_error", kTokenAxes, "Mean squared error of each key", "1"},
      {"value_error", kTokenAxes, "Mean squared error of each value", "1"},
      {"attention_error", kRowAxes, "Squared score differences summed over keys", "1"},
      {"output_error", kRowAxes, "Mean squared difference of the attention output", "1"},
      {"step_token", kStepAxes, "The newest token of each step", "1"},
      {"step_key_promotions", kStepAxes, "Units of keys that got more bits", "1"},
      {"step_key_demotions", kStepAxes, "Units of keys that got fewer bits", "1"},
      {"step_key_fetched_units", kStepAxes, "Units of keys fetched from the host", "1"},
      {"step_key_requantized_values", kStepAxes, "Numbers of keys quantized again", "1"},
      {"step_key_mean_bits", kStepAxes, "Mean bits of units of keys", "bit"},
      {"step_value_promotions", kStepAxes, "Units of values that got more bits", "1"},
      {"step_value_demotions", kStepAxes, "Units of values that got fewer bits", "1"},
      {"step_value_fetched_units", kStepAxes, "Units of values fetched from the host", "1"},
      {"step_value_requantized_values", kStepAxes, "Numbers of values quantized again", "1"},
      {"step_value_mean_bits", kStepAxes, "Mean bits of units of values", "bit"},
      {"step_d2h_bytes", kStepAxes, "Bytes to the host", "byte"},
      {"step_h2d_bytes", kStepAxes, "Bytes from the host", "byte"},
      {"step_h2d_transfers", kStepAxes, "Transfers from the host", "1"},
      {"step_resident_bytes", kStepAxes, "Bytes on the device", "byte"},
      {"step_host_bytes", kStepAxes, "Bytes of the host's copy", "byte"},
      {"step_full_bytes", kStepAxes, "Bytes of the whole cache at full precision", "byte"},
      {"step_kept_share", kStepAxes, "Share of the tokens that is not evicted", "1"},
      {"step_modelled_d2h_seconds", kStepAxes, "To the host, by a model of the link", "s"},
      {"step_modelled_h2d_seconds", kStepAxes, "From the host, by a model of the link", "s"},
      {"step_modelled_stall_seconds", kStepAxes, "Stall, by a model of the link", "s"},
      {"step_attention_error", kStepAxes, "Mean squared score difference", "1"},
      {"step_output_error", kStepAxes, "Mean squared difference of the attention output", "1"},
  };
  return list;
}

}  // namespace qaq
