#include "data/capture/array_cache.h"

namespace qaq {
namespace {

std::int64_t bytes_in(const ArrayCache::Array& array) {
  return array->size() * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

ArrayCache::Array ArrayCache::touched(const Key& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->array;
}

ArrayCache::Array ArrayCache::get(const Key& key, const std::function<Array()>& make) {
  {
    const std::lock_guard lock(mutex_);
    if (Array array = touched(key)) return array;
  }
  Array made = make();
  const std::lock_guard lock(mutex_);
  if (Array array = touched(key)) return array;
  if (bytes_in(made) > budget_bytes_) return made;
  entries_.push_front({key, made});
  by_key_[key] = entries_.begin();
  held_bytes_ += bytes_in(made);
  while (held_bytes_ > budget_bytes_) {
    held_bytes_ -= bytes_in(entries_.back().array);
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return made;
}

}  // namespace qaq
