#include "data/capture/capture_metadata.h"

#include <numeric>

#include "core/base/text.h"
#include "data/capture/capture_layout.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_scale.h"
#include "data/capture/profile_name.h"

namespace qaq {
namespace {

void write_model(const h5::File& file, const CaptureInfo& info) {
  const h5::Attributes model(file, capture_path::kModel);
  model.set("name", info.model_name);
  model.set("architecture", info.architecture);
  model.set("n_layers", info.shape.n_layers);
  model.set("n_heads", info.shape.n_heads);
  model.set("n_kv_heads", info.shape.n_kv_heads);
  model.set("head_dim", info.shape.head_dim);
  model.set("hidden_size", info.shape.hidden_size);
  model.set("vocab_size", info.shape.vocab_size);
  model.set("rope_theta", info.rope_theta);
  // A file that says nothing is of a model whose keys turn.
  if (info.position_embedding != PositionEmbedding::rope) {
    model.set("position_embedding", std::string(name_of(info.position_embedding)));
  }
  if (!info.alibi_slopes.empty()) model.set("alibi_slopes", info.alibi_slopes);
  if (!info.attention_windows.empty()) model.set("attention_windows", info.attention_windows);
  model.set("weights_dtype", info.weights_dtype);
  model.set("sha256", info.model_sha256);
  model.set("config_json", info.config_json);
}

std::vector<std::int32_t> count_up(std::int64_t n) {
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

void write_axis(const h5::File& file, const std::string& name,
                const std::vector<std::int32_t>& coordinates) {
  const std::string path = cat(capture_path::kAxes, "/", name);
  h5::write_array<std::int32_t>(file, path, {coordinates.size()}, coordinates);
  h5::make_scale(file, path, name);
}

void link(const h5::File& file, const std::string& from, const std::string& to) {
  file.require(
      H5Lcreate_hard(file.id(), to.c_str(), file.id(), from.c_str(), H5P_DEFAULT, H5P_DEFAULT) >= 0,
      from, "cannot be linked");
}

}  // namespace

void write_skeleton(const h5::File& file, const CapturePlan& plan) {
  using namespace capture_path;
  const CaptureInfo& info = plan.info;
  for (const char* group : {kEntry, kModel, kTokenizer, kPrompt, kAxes, kKv, kQuery, kAttention,
                            kLogits, kStats, kRuns}) {
    file.create_group(group);
  }
  const h5::Attributes root(file, "/");
  root.set("format", kCaptureFormat);
  root.set("format_version", std::int64_t{kCaptureVersion});
  root.set("default", "entry");
  root.set("creator", info.creator);
  root.set("command_line", info.command_line);
  root.set("created_utc", info.created_utc);
  h5::Attributes(file, kEntry).set("NX_class", "NXentry");
  write_model(file, info);
  const h5::Attributes tokenizer(file, kTokenizer);
  tokenizer.set("kind", plan.tokenizer_kind);
  tokenizer.set("sha256", plan.tokenizer_sha256);
  tokenizer.set("special_ids", info.special_ids);
  const h5::Attributes prompt(file, kPrompt);
  prompt.set("text", info.prompt_text);
  prompt.set("n_prompt", info.n_prompt);
  h5::Attributes(file, kAttention).set("profile", std::string(name_of(info.profile)));
}

void write_tokens(const h5::File& file, const CaptureTokens& tokens) {
  h5::write_array<std::int32_t>(file, capture_path::kTokenIds, {tokens.ids.size()}, tokens.ids);
  h5::write_texts(file, capture_path::kTokenText, tokens.text);
  h5::write_byte_strings(file, capture_path::kTokenBytes, tokens.bytes);
}

void write_axes(const h5::File& file, const CaptureInfo& info, std::int64_t n_tokens,
                const std::vector<std::int32_t>& query_token) {
  write_axis(file, "layer", info.layers);
  write_axis(file, "head", count_up(info.shape.n_heads));
  write_axis(file, "kv_head", count_up(info.shape.n_kv_heads));
  write_axis(file, "token", count_up(n_tokens));
  write_axis(file, "channel", count_up(info.shape.head_dim));
  if (!query_token.empty()) write_axis(file, "query_token", query_token);
}

void write_importance(const h5::File& file) {
  using capture_path::kImportance;
  file.create_group(kImportance);
  // Signals and axes must be members of the group itself, or a viewer finds no plot.
  for (const char* name : {"importance_window", "importance_sum"}) {
    link(file, cat(kImportance, "/", name), cat(capture_path::kStats, "/", name));
  }
  const std::vector<std::string> axes{"layer", "kv_head", "token"};
  const h5::Attributes plot(file, kImportance);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    link(file, cat(kImportance, "/", axes[i]), cat(capture_path::kAxes, "/", axes[i]));
    plot.set(axes[i] + "_indices", static_cast<std::int64_t>(i));
  }
  plot.set("NX_class", "NXdata");
  plot.set("signal", "importance_window");
  plot.set("auxiliary_signals", std::vector<std::string>{"importance_sum"});
  plot.set("axes", axes);
  plot.set("SILX_style", R"({"signal_scale_type": "log"})");
  h5::Attributes(file, capture_path::kEntry).set("default", "importance");
}

void describe_datasets(const h5::File& file, const CaptureInfo& info) {
  const bool turned = info.position_embedding == PositionEmbedding::rope;
  for (const DatasetMeaning& meaning : entry_datasets()) {
    const std::string path = cat(capture_path::kEntry, "/", meaning.path);
    if (!file.has(path)) continue;
    h5::attach_scales(file, path, capture_path::kAxes, meaning.axes);
    const h5::Attributes attributes(file, path);
    attributes.set("long_name",
                   turned || !meaning.unturned_name ? meaning.long_name : meaning.unturned_name);
    attributes.set("units", meaning.units);
  }
}

}  // namespace qaq
