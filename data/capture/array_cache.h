#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <tuple>

#include "core/tensor/nd_array.h"

namespace qaq {

/// Arrays by key, the least recently used let go beyond a number of bytes. Arrays that callers
/// still hold live on, uncounted. Thread safe.
class ArrayCache {
 public:
  /// Kind of array, layer index, first row, number of rows.
  using Key = std::tuple<int, std::int64_t, std::int64_t, std::int64_t>;
  using Array = SharedArray<float, 3>;

  explicit ArrayCache(std::int64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  std::int64_t budget_bytes() const { return budget_bytes_; }
  /// The array of that key, made by `make` where it is not here. Two threads that miss the same key
  /// may both make it; both get the first one kept.
  Array get(const Key& key, const std::function<Array()>& make);

 private:
  struct Entry {
    Key key;
    Array array;
  };
  Array touched(const Key& key);

  const std::int64_t budget_bytes_;
  std::mutex mutex_;
  std::int64_t held_bytes_ = 0;
  std::list<Entry> entries_;  ///< most recently used first
  std::map<Key, std::list<Entry>::iterator> by_key_;
};

}  // namespace qaq
