#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/model/model_spec.h"
#include "core/model/position_embedding.h"
#include "core/model/score_rule.h"
#include "core/tensor/dtype.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Which attention rows a capture holds: all, the last N, none but enough to derive them from
/// queries and keys, or none at all.
enum class AttentionProfile { full, window, derive, none };

/// Everything of a capture that is small: loaded when it is opened.
struct CaptureInfo {
  std::string name;  ///< the file's name, without folders
  std::string model_name;
  std::string architecture;
  std::string model_sha256;
  std::string weights_dtype;
  std::string config_json;
  PositionEmbedding position_embedding = PositionEmbedding::rope;
  std::vector<float> alibi_slopes;  ///< (n_heads) of alibi, else empty
  double rope_theta = 0;            ///< 0 where nothing turns
  ModelShape shape;  ///< of the model; shape.n_layers counts layers that are not captured too
  std::vector<std::int32_t> layers;  ///< captured layers, ascending; index in it = first array axis
  std::int64_t n_tokens = 0;         ///< T
  std::int64_t n_prompt = 0;         ///< tokens prefilled; the rest were generated
  std::string prompt_text;
  std::vector<std::int32_t> token_ids;   ///< (T)
  std::vector<std::string> token_text;   ///< (T), display form, valid UTF-8
  std::vector<std::string> token_bytes;  ///< (T), raw
  std::vector<std::int32_t> special_ids;
  DType dtype = DType::f32;  ///< of keys, values and queries in the file
  AttentionProfile profile = AttentionProfile::full;
  bool has_queries = true;
  std::vector<std::int32_t> query_token;  ///< (T_query), ascending: positions of the attention rows
  std::string creator;
  std::string created_utc;
  std::string command_line;

  /// Radians a position by which RoPE turned channels i and i + size() of queries and keys; empty:
  /// unknown, or no RoPE.
  std::vector<double> rope_frequencies;

  /// By model layer: how many keys a query sees, itself among them; 0: all. Empty: all everywhere.
  std::vector<std::int32_t> attention_windows;

  std::int64_t attention_window(std::int64_t layer_index) const {
    return attention_windows.empty() ? 0
                                     : attention_windows[static_cast<std::size_t>(
                                           layers[static_cast<std::size_t>(layer_index)])];
  }
  /// What scores of a layer are made of besides queries and keys.
  LayerScoreRule score_rule(std::int64_t layer_index) const {
    return {attention_window(layer_index), alibi_slopes};
  }
  std::int64_t n_captured_layers() const { return static_cast<std::int64_t>(layers.size()); }
  std::int64_t n_query_rows() const { return static_cast<std::int64_t>(query_token.size()); }
};

/// A capture to replay: the file format behind it is data's business. Thread safe for reading.
/// `layer_index` counts captured layers (0 .. n_captured_layers - 1). Numbers are float32 whatever
/// the file holds, all finite. Throws Error{input} when the file turns out broken.
class CaptureView {
 public:
  virtual ~CaptureView() = default;
  virtual const CaptureInfo& info() const = 0;
  /// (n_kv_heads, T, D), after RoPE, half-split; as projected where the model has none.
  virtual SharedArray<float, 3> key(std::int64_t layer_index) const = 0;
  /// (n_kv_heads, T, D).
  virtual SharedArray<float, 3> value(std::int64_t layer_index) const = 0;
  /// (n_heads, T, D), after RoPE, unscaled. Only where info().has_queries.
  virtual SharedArray<float, 3> query(std::int64_t layer_index) const = 0;
  /// Rows [first_row, first_row + n_rows) of the captured attention rows (info().query_token),
  /// (n_heads, n_rows, T), after the softmax, zero above the diagonal. Profile derive computes
  /// them. Profile none: Error{input} with the cure.
  virtual SharedArray<float, 3> attention(std::int64_t layer_index, std::int64_t first_row,
                                          std::int64_t n_rows) const = 0;
};

}  // namespace qaq
