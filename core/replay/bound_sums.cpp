#include "core/replay/bound_sums.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qaq {

double row_error(const SquaredErrors& errors, std::int64_t row, double divisor) {
  const auto squares = errors.sub(row).span();
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0) / divisor);
}

void AchievedSums::add(const SquaredErrors& errors, double divisor, double e, bool entries_apart) {
  for (std::int64_t row = 0; row < errors.shape(0); ++row) {
    const double error = row_error(errors, row, divisor);
    squares_ += error * error;
    n_over_ += error > e ? 1 : 0;
    const auto entries = errors.sub(row).span();
    if (entries_apart) {
      largest_entry_ = std::max(largest_entry_, *std::max_element(entries.begin(), entries.end()));
      continue;
    }
    columns_.resize(std::max(columns_.size(), entries.size()));
    for (std::size_t i = 0; i < entries.size(); ++i) columns_[i] += entries[i];
  }
  n_rows_ += errors.shape(0);
}

void AchievedSums::add(const AchievedSums& other) {
  n_rows_ += other.n_rows_;
  n_over_ += other.n_over_;
  squares_ += other.squares_;
  largest_entry_ = std::max(largest_entry_, other.largest_entry_);
  columns_.resize(std::max(columns_.size(), other.columns_.size()));
  for (std::size_t i = 0; i < other.columns_.size(); ++i) columns_[i] += other.columns_[i];
}

Achieved AchievedSums::achieved() const {
  if (n_rows_ == 0) return {};
  const auto n = static_cast<double>(n_rows_);
  const double largest_column =
      columns_.empty() ? 0 : *std::max_element(columns_.begin(), columns_.end()) / n;
  return {.n_rows = n_rows_,
          .n_over = n_over_,
          .row_rms = std::sqrt(squares_ / n),
          .entry_rms = std::sqrt(std::max(largest_entry_, largest_column))};
}

void RatioCounts::add(double ratio) {
  // Rows without any error lie below every bin.
  const double bin = (std::log10(ratio) - kFirstDecade) * kPerDecade;
  count[static_cast<std::size_t>(std::clamp(bin, 0.0, kBins - 1.0))] += 1;
}

void RatioCounts::add(const RatioCounts& other) {
  for (std::size_t i = 0; i < kBins; ++i) count[i] += other.count[i];
}

double RatioCounts::centre(std::size_t bin) {
  return std::pow(10, kFirstDecade + (static_cast<double>(bin) + 0.5) / kPerDecade);
}

}  // namespace qaq
