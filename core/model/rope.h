#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// How rotation frequencies are stretched for contexts longer than a model was trained on. Names
/// are Hugging Face's `rope_type`; `standard` is its "default".
enum class RopeKind { standard, linear, dynamic, yarn, llama3 };
inline constexpr std::array kRopeKinds{RopeKind::standard, RopeKind::linear, RopeKind::dynamic,
                                       RopeKind::yarn, RopeKind::llama3};

/// Rotary position embedding in half-split convention: channel i turns with i + n_rotary_dim / 2.
/// Unused fields keep their defaults.
struct RopeSpec {
  RopeKind kind = RopeKind::standard;
  double theta = 10000.0;
  std::int64_t n_rotary_dim = 0;      ///< leading channels of a head that turn; the rest pass
  double factor = 1.0;                ///< how many times longer the context is; not of standard
  std::int64_t original_context = 0;  ///< tokens trained on; dynamic, yarn, llama3
  double low_freq_factor = 1.0;       ///< llama3
  double high_freq_factor = 4.0;      ///< llama3
  double beta_fast = 32.0;            ///< yarn
  double beta_slow = 1.0;             ///< yarn
  bool truncate = true;               ///< yarn: the ramp's ends are whole channels
  double attention_factor = 1.0;      ///< yarn: cosines and sines are multiplied by it
  /// GGUF's rope_freqs.weight (n_rotary_dim / 2): each frequency is divided by its number. Empty:
  /// none.
  std::vector<float> divisors{};
};

/// Radians a position of each pair of channels, (n_rotary_dim / 2), for a run whose last position
/// is n_tokens - 1 (only `dynamic` depends on it). Source: transformers, modeling_rope_utils.py.
std::vector<double> rope_frequencies(const RopeSpec& rope, std::int64_t n_tokens);

/// What YaRN multiplies cosines and sines by where a model gives no attention_factor: 0.1
/// ln(factor)
/// + 1, or with `scale` and `scale_all` (mscale and mscale_all_dim, 0: absent) a quotient of two
/// such numbers. Source: arXiv 2309.00071, section 3.4, and transformers.
double yarn_attention_factor(double factor, double scale = 0.0, double scale_all = 0.0);

/// "default", "linear", "dynamic", "yarn", "llama3".
std::string_view name_of(RopeKind kind);
std::optional<RopeKind> rope_kind_named(std::string_view name);

}  // namespace qaq
