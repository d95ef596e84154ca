#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gpu/cuda/kernels/half_linear.h"

namespace qaq::cuda {

/// The part of cuBLASLt's binary interface that is used, the same in its versions 12 and 13. Every
/// function but version() gives a status, 0 for success; an Object is any of its handles.
struct CublasLtApi {
  using Object = void*;
  struct Algorithm {
    std::uint64_t data[8];
  };
  struct Choice {
    Algorithm algorithm;
    std::size_t workspace_bytes;
    int status;
    float waves;
    int reserved[4];
  };

  int (*create)(Object* handle);
  int (*destroy)(Object handle);
  std::size_t (*version)();
  int (*create_product)(Object* product, int compute_type, int scale_type);
  int (*set_product)(Object product, int attribute, const void* value, std::size_t bytes);
  int (*destroy_product)(Object product);
  int (*create_layout)(Object* layout, int type, std::uint64_t rows, std::uint64_t columns,
                       std::int64_t leading);
  int (*destroy_layout)(Object layout);
  int (*create_preference)(Object* preference);
  int (*set_preference)(Object preference, int attribute, const void* value, std::size_t bytes);
  int (*destroy_preference)(Object preference);
  int (*choose)(Object handle, Object product, Object a, Object b, Object c, Object d,
                Object preference, int n_asked, Choice* choices, int* n_given);
  int (*multiply)(Object handle, Object product, const void* alpha, const void* a, Object a_layout,
                  const void* b, Object b_layout, const void* beta, const void* c, Object c_layout,
                  void* d, Object d_layout, const Algorithm* algorithm, void* workspace,
                  std::size_t workspace_bytes, cudaStream_t stream);
};

/// Device memory that a product may use while it runs, at a multiple of 256 bytes. Products in one
/// stream may share it.
struct CublasWorkspace {
  void* memory = nullptr;
  std::int64_t bytes = 0;
};

/// cuBLASLt, opened when the program runs: it is too large to travel with it, and programs start
/// without it. The library stays loaded once it is. For one thread.
class CublasLt {
 public:
  /// The library that the environment variable QAQ_CUBLASLT names, else libcublasLt.so.13, .12 or
  /// without a number where the loader finds them, for the current device. Null where there is none
  /// that works: then `why_not` says why.
  static std::unique_ptr<CublasLt> open(std::string& why_not);
  /// The same over functions from elsewhere: for tests.
  static std::unique_ptr<CublasLt> over(const CublasLtApi& api, std::string& why_not);
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  /// "13.1.0".
  std::string version() const;

  /// Queues what half_linear() does (`path` is of no meaning), with DType::f32 too, then pedantic:
  /// without TF32. float32 sums, no part of a sum apart from the rest, and one algorithm a shape,
  /// so that the same call gives the same bytes; another number of rows may be summed in another
  /// order. The bias is added by the library, in float32. False, and nothing queued, where the
  /// library has no algorithm for this call: half_linear() or linear() has. Throws Error{work}
  /// where it fails.
  bool matmul(const HalfLinearCall& call, const CublasWorkspace& workspace, cudaStream_t stream);

 private:
  using Owned = std::unique_ptr<void, int (*)(void*)>;
  struct Plan {
    Owned product, weight, in, out;
    std::optional<CublasLtApi::Algorithm> algorithm;  ///< empty: there is none
  };
  /// Sizes, type, alignments, workspace: what the choice of an algorithm depends on.
  using Key = std::array<std::int64_t, 9>;

  CublasLt(const CublasLtApi& api, void* handle) : api_(api), handle_(handle) {}
  Plan& plan_of(const HalfLinearCall& call, const CublasWorkspace& workspace);
  Plan make_plan(const HalfLinearCall& call, const CublasWorkspace& workspace) const;
  void choose(Plan& plan, const HalfLinearCall& call, const CublasWorkspace& workspace) const;
  Owned layout(DType dtype, std::int64_t rows, std::int64_t columns) const;
  void set_product(void* product, int attribute, const void* value, std::size_t bytes) const;

  CublasLtApi api_;
  void* handle_;
  std::map<Key, Plan> plans_;
};

}  // namespace qaq::cuda
