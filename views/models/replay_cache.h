#pragma once

#include <cstdint>
#include <list>

#include "views/models/analysis.h"

namespace qaq::views {

/// The whole results of recent requests, so that going back to a setting shows it at once. The
/// longest unused ones leave when the rest takes more than `budget` bytes; the newest always stays.
class ReplayCache {
 public:
  static constexpr std::int64_t kBudget = 256 << 20;

  explicit ReplayCache(std::int64_t budget = kBudget) : m_budget(budget) {}

  /// Null where it is not kept. Requests are equal when capture, parameters and tokens to quantize
  /// are; prefix 0 and the whole capture are the same.
  SharedAnalysis find(const AnalysisRequest& request);
  /// Only whole ones: what an earlier stage shows may be of the setting before.
  void insert(const SharedAnalysis& analysis);
  /// Forgets what was made of other captures: they have been closed.
  void keepOnly(const SharedCapture& capture);

  std::int64_t byteCount() const { return m_bytes; }
  std::size_t size() const { return m_entries.size(); }

 private:
  struct Entry {
    SharedAnalysis analysis;
    std::int64_t bytes = 0;
  };
  std::list<Entry>::iterator position(const SharedCapture& capture, const ScopeParams& params,
                                      std::int64_t prefix);

  std::int64_t m_budget;
  std::int64_t m_bytes = 0;
  std::list<Entry> m_entries;  ///< last used first
};

/// What an analysis takes in memory, its violations and maps among it.
std::int64_t byteCountOf(const Analysis& analysis);

}  // namespace qaq::views
