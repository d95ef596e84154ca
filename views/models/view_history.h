#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace qaq::views {

/// Where one has been, and the way back and forth. A `Snapshot` is a value with operator==. Going
/// somewhere from the middle forgets what lay ahead.
template <class Snapshot>
class ViewHistory {
 public:
  explicit ViewHistory(std::size_t most = 200) : m_most(most) {}

  /// Where one is now. The same place again adds nothing.
  void record(const Snapshot& snapshot) {
    if (!m_places.empty() && m_places[m_at] == snapshot) return;
    if (!m_places.empty()) m_places.resize(m_at + 1);
    m_places.push_back(snapshot);
    if (m_places.size() > m_most) m_places.erase(m_places.begin());
    m_at = m_places.size() - 1;
  }
  void clear() {
    m_places.clear();
    m_at = 0;
  }

  bool canGoBack() const { return m_at > 0; }
  bool canGoForward() const { return m_at + 1 < m_places.size(); }
  /// The place before; none at the beginning, where nothing changes.
  std::optional<Snapshot> back() {
    if (!canGoBack()) return std::nullopt;
    return m_places[--m_at];
  }
  std::optional<Snapshot> forward() {
    if (!canGoForward()) return std::nullopt;
    return m_places[++m_at];
  }
  std::size_t size() const { return m_places.size(); }
  /// Where one is; none before the first record().
  std::optional<Snapshot> here() const {
    if (m_places.empty()) return std::nullopt;
    return m_places[m_at];
  }

 private:
  std::size_t m_most;
  std::vector<Snapshot> m_places;
  std::size_t m_at = 0;  ///< in m_places, where one is
};

}  // namespace qaq::views
