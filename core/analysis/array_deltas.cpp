#include "core/analysis/array_deltas.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

namespace qaq {
namespace {

// Rows of attention that are held at a time.
constexpr std::int64_t kRowsTogether = 256;

// Sums over the numbers of two arrays, and where they differ most.
class Differences {
 public:
  explicit Differences(std::string name) { delta_.name = std::move(name); }

  void add(std::span<const float> a, std::span<const float> b, std::int32_t layer,
           std::int64_t head, std::int64_t token) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double x = a[i], y = b[i], d = y - x;
      a_ += x * x;
      b_ += y * y;
      difference_ += d * d;
      if (std::abs(d) > delta_.max_difference) {
        delta_.max_difference = std::abs(d);
        delta_.layer = layer;
        delta_.head = head;
        delta_.token = token;
      }
    }
    n_ += std::ssize(a);
  }

  void finish(std::vector<ArrayDelta>& out) {
    if (n_ == 0) return;
    const auto rms = [&](double sum) { return std::sqrt(sum / static_cast<double>(n_)); };
    delta_.rms_a = rms(a_);
    delta_.rms_b = rms(b_);
    delta_.rms_difference = rms(difference_);
    out.push_back(std::move(delta_));
  }

 private:
  ArrayDelta delta_;
  double a_ = 0, b_ = 0, difference_ = 0;
  std::int64_t n_ = 0;
};

// Rows from `first` on that lie behind each other in both captures.
std::int64_t run_length(std::span<const RowPair> rows, std::size_t first) {
  std::int64_t n = 1;
  for (std::size_t i = first + 1; i < rows.size() && n < kRowsTogether; ++i, ++n) {
    if (rows[i].in_a != rows[first].in_a + n || rows[i].in_b != rows[first].in_b + n) break;
  }
  return n;
}

}  // namespace

std::vector<ArrayDelta> array_deltas(const Alignment& alignment, const CaptureView& a,
                                     const CaptureView& b, const Work& work) {
  const CaptureInfo &of_a = a.info(), &of_b = b.info();
  const std::vector<LayerPair> layers = layer_pairs(alignment, of_a, of_b);
  std::vector<ArrayDelta> out;
  using Read = SharedArray<float, 3> (CaptureView::*)(std::int64_t) const;
  const auto compare_array = [&](const char* name, Read read) {
    Differences differences(name);
    for (const LayerPair& layer : layers) {
      work.throw_if_stopped();
      const auto x = (a.*read)(layer.in_a), y = (b.*read)(layer.in_b);
      for (std::int64_t head = 0; head < x->shape()[0]; ++head) {
        for (std::int64_t t = 0; t < alignment.n_tokens; ++t) {
          differences.add(x->sub(head, t).span(), y->sub(head, t).span(), layer.layer, head, t);
        }
      }
    }
    differences.finish(out);
  };
  compare_array("key", &CaptureView::key);
  compare_array("value", &CaptureView::value);
  if (of_a.has_queries && of_b.has_queries) compare_array("query", &CaptureView::query);
  if (of_a.profile == AttentionProfile::none || of_b.profile == AttentionProfile::none) return out;

  const std::vector<RowPair> rows = row_pairs(alignment, of_a, of_b);
  Differences differences("attention");
  for (const LayerPair& layer : layers) {
    for (std::size_t first = 0; first < rows.size();) {
      work.throw_if_stopped();
      const std::int64_t n = run_length(rows, first);
      const auto x = a.attention(layer.in_a, rows[first].in_a, n);
      const auto y = b.attention(layer.in_b, rows[first].in_b, n);
      for (std::int64_t head = 0; head < of_a.shape.n_heads; ++head) {
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int32_t position = rows[first + static_cast<std::size_t>(i)].position;
          const auto n_keys = static_cast<std::size_t>(position) + 1;
          differences.add(x->sub(head, i).span().first(n_keys),
                          y->sub(head, i).span().first(n_keys), layer.layer, head, position);
        }
      }
      first += static_cast<std::size_t>(n);
    }
  }
  differences.finish(out);
  return out;
}

nlohmann::ordered_json array_deltas_json(const std::vector<ArrayDelta>& deltas) {
  auto out = nlohmann::ordered_json::object();
  for (const ArrayDelta& x : deltas) {
    out[x.name] = {{"rms_a", x.rms_a},
                   {"rms_b", x.rms_b},
                   {"rms_difference", x.rms_difference},
                   {"max_difference", x.max_difference},
                   {"layer", x.layer},
                   {"head", x.head},
                   {"token", x.token}};
  }
  return out;
}

}  // namespace qaq
