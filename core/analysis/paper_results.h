#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace qaq {

/// A number that the paper (arXiv 2403.04643v1) reports; those of figures are read off. Without
/// scales, indices and bit maps, as the paper counts.
struct PaperNumber {
  std::string_view item;   ///< "fig2a" ... "table3"
  std::string_view model;  ///< "LLaMA-2-7B"
  std::string_view task;   ///< name of the task, as in our task files
  std::string_view what;   ///< the setting, or the method
  std::optional<double> accuracy{};
  std::optional<double> ratio{};  ///< uncompressed over compressed
};

/// Of each task, that the paper's accuracies are of.
inline constexpr std::int64_t kPaperQuestions = 1000;

/// Where Fig. 2(c) ends, on both sides.
inline constexpr double kPaperSpread = 5;

/// What the paper reports in one of its figures or tables, in its order; of `task` alone where the
/// paper has that task, else of all.
std::vector<PaperNumber> paper_numbers(std::string_view item, std::string_view task);

/// What the paper says of one of its figures or tables in words, as far as it can be held against a
/// result: "fig2a", "fig2b", "fig2c", "table2", "table3", "fig4", "table1". Empty: nothing.
std::string_view paper_claim(std::string_view item);

}  // namespace qaq
