#include "tests/support/qaq_reference.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/quant/nominal_size.h"
#include "core/quant/normal_codebook.h"

namespace qaq::test {
namespace {

nlohmann::json json_of(const std::string& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  return nlohmann::json::parse(in);
}

// One code up or down from `value`, in units of the cache.
double one_step(const QuantizedCache& ours, std::size_t unit, float value) {
  const UnitStats& stats = ours.stats[unit];
  const bool symmetric = ours.plan.quantizer.symmetric;
  const int n_bits = ours.plan.n_bits[unit];
  if (ours.plan.quantizer.method == Method::uniform) {
    return stats.range(symmetric) / std::exp2(n_bits);
  }
  const auto& centres = normal_codebook(n_bits).centre;
  const float z = (value - (symmetric ? 0.0f : stats.mean)) / stats.deviation;
  const auto cell = std::min_element(centres.begin(), centres.end(), [&](float a, float b) {
    return std::abs(a - z) < std::abs(b - z);
  });
  double widest = 0;
  if (cell != centres.begin()) widest = *cell - *(cell - 1);
  if (cell + 1 != centres.end()) widest = std::max(widest, double{*(cell + 1)} - *cell);
  return widest * stats.deviation;
}

template <class Body>
void for_rows(const CacheShape& shape, const Body& body) {
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      for (std::int64_t token = 0; token < shape.n_tokens; ++token) body(layer, head, token);
    }
  }
}

}  // namespace

std::string QaqDeviations::text() const {
  return cat(n_configs, " configurations, bits ", n_bits_differ, " of ", n_units, " differ, masks ",
             n_masks_differ, " of ", n_masks, " differ, dequantized ", values,
             " of the unit's largest input (", n_values, " values, ", n_ties_used, " of ", n_ties,
             " near ties one step off), mean_squared_error ", mean_squared_error,
             " relative, average_n_bits ", average_n_bits, ", size_per_token_bits ", size);
}

QaqReference::QaqReference(const std::string& folder, const std::string& name)
    : file_(folder + "/" + name + ".h5"),
      configs_(json_of(folder + "/" + name + ".json").at("configs")),
      key_(load("input/key")),
      value_(load("input/value")),
      attention_(load("input/attention_tail")),
      stored_layers_(file_.integers_attribute("/", "stored_layers")) {
  const auto ties = json_of(folder + "/qaq_near_ties.json").at("files").at(name + ".h5");
  for (const auto& [index, lists] : ties.items()) {
    if (!lists.contains("dequantized")) continue;
    for (const Place place : lists.at("dequantized")) ties_[std::stoi(index)].insert(place);
  }
}

QaqDeviations QaqReference::compare_all(const Quantize& quantize) {
  largest_ = {};
  for (const auto& config : configs_) compare(config, quantize);
  return largest_;
}

NdArray<float, 4> QaqReference::load(const std::string& name) const {
  const auto shape = file_.shape(name);
  NdArray<float, 4> out({shape.at(0), shape.at(1), shape.at(2), shape.at(3)});
  const auto numbers = file_.floats(name);
  std::copy(numbers.begin(), numbers.end(), out.data());
  return out;
}

void QaqReference::compare(const nlohmann::json& reference, const Quantize& quantize) {
  const int index = reference.at("index");
  SCOPED_TRACE(cat("config ", index, " ", reference.at("params").dump()));
  std::string number = std::to_string(index);
  number.insert(0, 3 - number.size(), '0');
  const std::string group = "configs/" + number + "/";
  const ReferenceConfig config = reference_config(reference.at("params"));
  const NdArray<float, 4>& cache = config.side == CacheSide::key ? key_ : value_;
  const QuantizedCache ours = quantize(config, cache.view(), attention_.view());
  ++largest_.n_configs;
  if (!ours.plan.keeps_all()) {
    compare_bits(ours, file_.integers(group + "n_bits"));
    compare_masks(ours, file_.bytes(group + "outlier_mask_packed"));
  }
  compare_values(ours, cache, file_.floats(group + "dequantized"), ties_[index]);
  compare_sizes(ours, cache, reference);
}

void QaqReference::compare_bits(const QuantizedCache& ours,
                                const std::vector<std::int64_t>& reference) {
  ASSERT_EQ(ours.plan.n_bits.size(), reference.size());
  for (std::size_t unit = 0; unit < reference.size(); ++unit) {
    ++largest_.n_units;
    largest_.n_bits_differ += ours.plan.n_bits[unit] != reference[unit];
    EXPECT_EQ(ours.plan.n_bits[unit], reference[unit]) << "unit " << unit;
  }
}

void QaqReference::compare_masks(const QuantizedCache& ours,
                                 const std::vector<std::uint8_t>& packed) {
  const CacheShape& shape = ours.plan.layout.shape();
  std::size_t bit = 0;
  std::int64_t n_differ = 0;
  for (std::int64_t token = 0; token < shape.n_tokens; ++token) {
    for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
      for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
        for (std::int64_t channel = 0; channel < shape.head_dim; ++channel, ++bit) {
          const bool kept = (packed.at(bit / 8) >> (7 - bit % 8) & 1) != 0;
          n_differ += kept != ours.kept(layer, head, token, channel);
        }
      }
    }
  }
  EXPECT_EQ(n_differ, 0) << "elements of the outlier mask differ";
  largest_.n_masks += static_cast<std::int64_t>(bit);
  largest_.n_masks_differ += n_differ;
}

void QaqReference::compare_values(const QuantizedCache& ours, const NdArray<float, 4>& cache,
                                  const std::vector<float>& reference,
                                  const std::set<Place>& ties) {
  const CacheShape& shape = ours.plan.layout.shape();
  const UnitLayout& layout = ours.plan.layout;
  std::vector<double> largest_input(static_cast<std::size_t>(layout.n_units()), 0);
  for_rows(shape, [&](std::int64_t layer, std::int64_t head, std::int64_t token) {
    double& largest = largest_input[static_cast<std::size_t>(layout.unit(layer, head, token))];
    for (const float x : cache.sub(layer, head, token).span()) {
      largest = std::max(largest, std::abs(double{x}));
    }
  });
  std::size_t at = 0;
  for (std::size_t stored = 0; stored < stored_layers_.size(); ++stored) {
    const std::int64_t layer = stored_layers_[stored];
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      for (std::int64_t token = 0; token < shape.n_tokens; ++token) {
        const auto unit = static_cast<std::size_t>(layout.unit(layer, head, token));
        for (std::int64_t channel = 0; channel < shape.head_dim; ++channel, ++at) {
          const float value = ours.values(layer, head, token, channel);
          double off = std::abs(double{value} - reference.at(at)) / largest_input[unit];
          ++largest_.n_values;
          const Place place{static_cast<std::int64_t>(stored), head, token, channel};
          if (ties.count(place) != 0) {
            ++largest_.n_ties;
            if (off > 1e-6) {
              ++largest_.n_ties_used;
              off = std::abs(off - one_step(ours, unit, value) / largest_input[unit]);
            }
          }
          EXPECT_LE(off, 1e-6) << "layer " << layer << " head " << head << " token " << token
                               << " channel " << channel << ": " << value << " for "
                               << reference[at];
          largest_.values = std::max(largest_.values, off);
        }
      }
    }
  }
  EXPECT_EQ(at, reference.size());
}

void QaqReference::compare_sizes(const QuantizedCache& ours, const NdArray<float, 4>& cache,
                                 const nlohmann::json& reference) {
  double sum = 0;
  for (std::size_t i = 0; i < cache.span().size(); ++i) {
    const double difference = double{ours.values.span()[i]} - cache.span()[i];
    sum += difference * difference;
  }
  const double mean = sum / static_cast<double>(cache.size());
  const double expected = reference.at("mean_squared_error");
  EXPECT_NEAR(mean, expected, std::max(1e-12, 2e-5 * expected));
  if (expected > 0) {
    const double off = std::abs(mean - expected) / expected;
    largest_.mean_squared_error = std::max(largest_.mean_squared_error, off);
  }
  const NominalSize size = nominal_size(ours.plan, 32);
  const auto relative = [](double a, double b) { return b == 0 ? a : std::abs(a - b) / b; };
  const double bits_off = relative(size.average_n_bits, reference.at("average_n_bits"));
  const double size_off = relative(size.size_per_token_bits, reference.at("size_per_token_bits"));
  EXPECT_LE(bits_off, 1e-6);
  EXPECT_LE(size_off, 1e-6);
  largest_.average_n_bits = std::max(largest_.average_n_bits, bits_off);
  largest_.size = std::max(largest_.size, size_off);
}

}  // namespace qaq::test
