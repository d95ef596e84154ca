#include "data/capture/capture_info_reader.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>

#include "core/base/text.h"
#include "data/capture/capture_layout.h"
#include "data/capture/capture_rope.h"
#include "data/capture/capture_shapes.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/profile_name.h"

namespace qaq {
namespace {

constexpr const char* kAgain = "capture again with this program";

void check_format(const h5::File& file) {
  const h5::Attributes root(file, "/");
  if (root.text("format") != kCaptureFormat) {
    file.refuse("/@format", cat("is not a capture: its format is not ", kCaptureFormat),
                "make one with qaq capture");
  }
  const std::int64_t version = root.integer("format_version").value_or(0);
  if (version != kCaptureVersion) {
    file.refuse("/@format_version",
                cat("is version ", version, ", and this program reads version ", kCaptureVersion),
                version > kCaptureVersion ? "read it with a newer program" : kAgain);
  }
}

std::int64_t read_count(const h5::File& file, const h5::Attributes& group, const char* name) {
  const std::optional<std::int64_t> count = group.integer(name);
  const std::string place = cat(capture_path::kModel, "@", name);
  if (!count) file.refuse(place, "is missing", kAgain);
  if (*count < 1 || *count > std::numeric_limits<std::int32_t>::max()) {
    file.refuse(place, cat("is ", *count), kAgain);
  }
  return *count;
}

void read_positions(const h5::File& file, const h5::Attributes& model, CaptureInfo& info) {
  const std::string name = model.text("position_embedding").value_or("rope");
  const auto positions = position_embedding_named(name);
  if (!positions) {
    file.refuse(cat(capture_path::kModel, "@position_embedding"),
                cat("is '", name, "', none that is known here"), "read it with a newer program");
  }
  info.position_embedding = *positions;
  info.alibi_slopes = model.reals("alibi_slopes").value_or(std::vector<float>{});
  const auto& slopes = info.alibi_slopes;
  const std::int64_t n_slopes =
      *positions == PositionEmbedding::alibi ? info.shape.n_heads : std::int64_t{0};
  if (std::ssize(slopes) != n_slopes ||
      !std::ranges::all_of(slopes, [](float slope) { return std::isfinite(slope); })) {
    file.refuse(cat(capture_path::kModel, "@alibi_slopes"),
                cat("is no list of ", n_slopes, " finite numbers, as ", name, " has them"), kAgain);
  }
}

void read_model(const h5::File& file, CaptureInfo& info) {
  const h5::Attributes model(file, capture_path::kModel);
  info.model_name = model.text("name").value_or("");
  info.architecture = model.text("architecture").value_or("");
  info.model_sha256 = model.text("sha256").value_or("");
  info.weights_dtype = model.text("weights_dtype").value_or("");
  info.config_json = model.text("config_json").value_or("");
  info.rope_theta = model.real("rope_theta").value_or(0);
  ModelShape& shape = info.shape;
  shape.n_layers = read_count(file, model, "n_layers");
  info.attention_windows =
      model.integers("attention_windows").value_or(std::vector<std::int32_t>{});
  const auto& windows = info.attention_windows;
  if ((!windows.empty() && std::ssize(windows) != shape.n_layers) ||
      std::ranges::any_of(windows, [](std::int32_t window) { return window < 0; })) {
    file.refuse(cat(capture_path::kModel, "@attention_windows"),
                cat("is no list of a window for each of ", shape.n_layers, " layers"), kAgain);
  }
  shape.n_heads = read_count(file, model, "n_heads");
  shape.n_kv_heads = read_count(file, model, "n_kv_heads");
  shape.head_dim = read_count(file, model, "head_dim");
  shape.hidden_size = read_count(file, model, "hidden_size");
  shape.vocab_size = read_count(file, model, "vocab_size");
  info.rope_frequencies = plain_rope_frequencies(info.config_json, info.rope_theta, shape.head_dim);
  if (shape.n_heads % shape.n_kv_heads != 0) {
    file.refuse(cat(capture_path::kModel, "@n_heads"),
                cat("is ", shape.n_heads, ", not a multiple of n_kv_heads, ", shape.n_kv_heads),
                kAgain);
  }
  read_positions(file, model, info);
}

void read_prompt(const h5::File& file, CaptureInfo& info) {
  using namespace capture_path;
  const h5::Attributes prompt(file, kPrompt);
  info.prompt_text = prompt.text("text").value_or("");
  info.token_ids = h5::read_array<std::int32_t>(file, kTokenIds);
  info.n_tokens = std::ssize(info.token_ids);
  if (info.n_tokens == 0) file.refuse(kTokenIds, "holds no token", kAgain);
  for (std::size_t t = 0; t < info.token_ids.size(); ++t) {
    const std::int32_t id = info.token_ids[t];
    if (id < 0 || id >= info.shape.vocab_size) {
      file.refuse(kTokenIds,
                  cat("token ", t, " is ", id, ", outside of 0 to ", info.shape.vocab_size - 1),
                  kAgain);
    }
  }
  info.n_prompt = prompt.integer("n_prompt").value_or(info.n_tokens);
  if (info.n_prompt < 1 || info.n_prompt > info.n_tokens) {
    file.refuse(cat(kPrompt, "@n_prompt"),
                cat("is ", info.n_prompt, " of ", info.n_tokens, " tokens"), kAgain);
  }
  info.token_text = h5::read_texts(file, kTokenText);
  info.token_bytes = h5::read_byte_strings(file, kTokenBytes);
}

void read_layers(const h5::File& file, CaptureInfo& info) {
  const std::string path = cat(capture_path::kAxes, "/layer");
  info.layers = h5::read_array<std::int32_t>(file, path);
  for (std::size_t i = 0; i < info.layers.size(); ++i) {
    const std::int32_t layer = info.layers[i];
    if (layer < 0 || layer >= info.shape.n_layers || (i > 0 && layer <= info.layers[i - 1])) {
      file.refuse(path,
                  cat("entry ", i, " is ", layer, ": not ascending layers of 0 to ",
                      info.shape.n_layers - 1),
                  kAgain);
    }
  }
  if (info.layers.empty()) file.refuse(path, "names no layer", kAgain);
}

void read_attention(const h5::File& file, CaptureInfo& info) {
  using namespace capture_path;
  const std::string name = h5::Attributes(file, kAttention).text("profile").value_or("");
  const std::optional<AttentionProfile> profile = profile_named(name);
  if (!profile) {
    file.refuse(cat(kAttention, "@profile"), cat("is '", name, "', no profile known here"),
                "use full, window, derive or none");
  }
  info.profile = *profile;
  info.has_queries = file.has(kQueryValues);
  if (info.profile == AttentionProfile::none) return;
  info.query_token.resize(info.token_ids.size());
  std::iota(info.query_token.begin(), info.query_token.end(), 0);
  if (info.profile == AttentionProfile::derive) {
    if (!info.has_queries) {
      file.refuse(kQueryValues, "is missing, and profile derive needs it", kAgain);
    }
    return;
  }
  std::vector<std::int32_t> stored = h5::read_array<std::int32_t>(file, kQueryToken);
  const bool ascending =
      std::ranges::is_sorted(stored) && std::ranges::adjacent_find(stored) == stored.end();
  if (stored.empty() || !ascending || stored.front() < 0 || stored.back() >= info.n_tokens) {
    file.refuse(kQueryToken, cat("is not ascending positions of 0 to ", info.n_tokens - 1), kAgain);
  }
  if (info.profile == AttentionProfile::full && stored != info.query_token) {
    file.refuse(kQueryToken,
                cat("holds ", stored.size(), " rows, and profile full has all ", info.n_tokens),
                kAgain);
  }
  info.query_token = std::move(stored);
}

}  // namespace

CaptureInfo read_capture_info(const h5::File& file) {
  check_format(file);
  CaptureInfo info;
  info.name = std::filesystem::path(file.name()).filename().string();
  const h5::Attributes root(file, "/");
  info.creator = root.text("creator").value_or("");
  info.created_utc = root.text("created_utc").value_or("");
  info.command_line = root.text("command_line").value_or("");
  read_model(file, info);
  info.special_ids = h5::Attributes(file, capture_path::kTokenizer)
                         .integers("special_ids")
                         .value_or(std::vector<std::int32_t>{});
  read_layers(file, info);
  read_prompt(file, info);
  read_attention(file, info);
  info.dtype = check_shapes(file, info);
  return info;
}

}  // namespace qaq
