// CUDA's atomics, relaxed as they are there. Made of the compiler's atomic builtins, so that the
// thread sanitizer knows them for what they are.
#pragma once

#include <type_traits>

namespace simt {

/// Puts change(old) in the place of *place; gives the old value.
template <class T, class Change>
T read_modify_write(T* place, Change change) {
  T old;
  __atomic_load(place, &old, __ATOMIC_RELAXED);
  T next = change(old);
  while (
      !__atomic_compare_exchange(place, &old, &next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    next = change(old);
  }
  return old;
}

}  // namespace simt

template <class T>
T atomicAdd(T* place, std::type_identity_t<T> value) {
  return simt::read_modify_write(place, [=](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicSub(T* place, std::type_identity_t<T> value) {
  return simt::read_modify_write(place, [=](T old) { return static_cast<T>(old - value); });
}
template <class T>
T atomicMax(T* place, std::type_identity_t<T> value) {
  return simt::read_modify_write(place, [=](T old) { return old < value ? value : old; });
}
template <class T>
T atomicMin(T* place, std::type_identity_t<T> value) {
  return simt::read_modify_write(place, [=](T old) { return value < old ? value : old; });
}
template <class T>
T atomicAnd(T* place, std::type_identity_t<T> value) {
  return simt::read_modify_write(place, [=](T old) { return static_cast<T>(old & value); });
}
template <class T>
T atomicOr(T* place, std::type_identity_t<T> value) {
  return simt::read_modify_write(place, [=](T old) { return static_cast<T>(old | value); });
}
template <class T>
T atomicXor(T* place, std::type_identity_t<T> value) {
  return simt::read_modify_write(place, [=](T old) { return static_cast<T>(old ^ value); });
}
template <class T>
T atomicExch(T* place, std::type_identity_t<T> value) {
  return simt::read_modify_write(place, [=](T) { return value; });
}
template <class T>
T atomicCAS(T* place, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  return simt::read_modify_write(place, [=](T old) { return old == compare ? value : old; });
}
