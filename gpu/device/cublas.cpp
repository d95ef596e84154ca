// Matrices of cuBLASLt are column-major, so a row-major matrix is its own transpose there: it is
// told to make out^T (n, n_rows) = weight (n, k) in^T (k, n_rows), A being the weight, transposed.
#include "gpu/device/cublas.h"

#include <cstdlib>
#include <dlfcn.h>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>
#define QAQ_HAS_CUBLASLT_HEADER
#endif

namespace qaq::cuda {
namespace {

// Numbers of its interface.
constexpr int kFloat32 = 0, kFloat16 = 2, kBfloat16 = 14;
constexpr int kCompute32 = 68, kCompute32Pedantic = 69;
constexpr std::int32_t kTransposed = 1;
constexpr std::uint32_t kAddBias = 4;
constexpr std::uint32_t kNoReduction = 0;
constexpr int kTransposeA = 3, kEpilogue = 7, kBiasPointer = 8, kBiasType = 26;
constexpr int kMaxWorkspace = 1, kReductions = 3;
constexpr int kAlignmentA = 5, kAlignmentB = 6, kAlignmentC = 7, kAlignmentD = 8;

#ifdef QAQ_HAS_CUBLASLT_HEADER
static_assert(kFloat32 == CUDA_R_32F && kFloat16 == CUDA_R_16F && kBfloat16 == CUDA_R_16BF);
static_assert(kCompute32 == CUBLAS_COMPUTE_32F);
static_assert(kCompute32Pedantic == CUBLAS_COMPUTE_32F_PEDANTIC);
static_assert(kTransposed == CUBLAS_OP_T && kAddBias == CUBLASLT_EPILOGUE_BIAS);
static_assert(kNoReduction == CUBLASLT_REDUCTION_SCHEME_NONE);
static_assert(kTransposeA == CUBLASLT_MATMUL_DESC_TRANSA);
static_assert(kEpilogue == CUBLASLT_MATMUL_DESC_EPILOGUE);
static_assert(kBiasPointer == CUBLASLT_MATMUL_DESC_BIAS_POINTER);
static_assert(kBiasType == CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE);
static_assert(kMaxWorkspace == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
static_assert(kReductions == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
static_assert(kAlignmentA == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
static_assert(kAlignmentB == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
static_assert(kAlignmentC == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
static_assert(kAlignmentD == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
static_assert(sizeof(CublasLtApi::Algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(CublasLtApi::Choice) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(CublasLtApi::Choice, status) ==
              offsetof(cublasLtMatmulHeuristicResult_t, state));
#endif

void require(int status, const char* what) {
  if (status == 0) return;
  throw Error(ErrorKind::work, {.place = "GPU",
                                .what = cat(what, " failed: cuBLASLt gives status ", status),
                                .cure = "run again; if it stays so, run with --device cpu"});
}

int type_of(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return kFloat16;
    case DType::bf16:
      return kBfloat16;
    case DType::f32:
      break;
  }
  return kFloat32;
}

/// The largest power of two up to 256 that divides an address; 0 for none.
std::uint32_t alignment_of(const void* address) {
  const auto bits = reinterpret_cast<std::uintptr_t>(address);
  return bits == 0 ? 0 : static_cast<std::uint32_t>((bits | 256) & -(bits | 256));
}

/// Null where none is found.
void* load_library(std::string& why_not) {
  if (const char* path = std::getenv("QAQ_CUBLASLT")) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) why_not = cat("QAQ_CUBLASLT: ", dlerror());
    return library;
  }
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"}) {
    if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  }
  why_not = cat("cuBLASLt: ", dlerror(), "; QAQ_CUBLASLT can name its path");
  return nullptr;
}

template <class Function>
bool find(void* library, const char* name, Function*& function, std::string& why_not) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  if (!function) why_not = cat("the library for cuBLASLt has no ", name);
  return function != nullptr;
}

bool find_all(void* library, CublasLtApi& api, std::string& why_not) {
  const auto get = [&](const char* name, auto& function) {
    return find(library, name, function, why_not);
  };
  return get("cublasLtCreate", api.create) && get("cublasLtDestroy", api.destroy) &&
         get("cublasLtGetVersion", api.version) &&
         get("cublasLtMatmulDescCreate", api.create_product) &&
         get("cublasLtMatmulDescSetAttribute", api.set_product) &&
         get("cublasLtMatmulDescDestroy", api.destroy_product) &&
         get("cublasLtMatrixLayoutCreate", api.create_layout) &&
         get("cublasLtMatrixLayoutDestroy", api.destroy_layout) &&
         get("cublasLtMatmulPreferenceCreate", api.create_preference) &&
         get("cublasLtMatmulPreferenceSetAttribute", api.set_preference) &&
         get("cublasLtMatmulPreferenceDestroy", api.destroy_preference) &&
         get("cublasLtMatmulAlgoGetHeuristic", api.choose) && get("cublasLtMatmul", api.multiply);
}

}  // namespace

std::unique_ptr<CublasLt> CublasLt::open(std::string& why_not) {
  CublasLtApi api{};
  void* library = load_library(why_not);
  if (!library || !find_all(library, api, why_not)) return nullptr;
  return over(api, why_not);
}

std::unique_ptr<CublasLt> CublasLt::over(const CublasLtApi& api, std::string& why_not) {
  void* handle = nullptr;
  if (const int status = api.create(&handle); status != 0) {
    why_not = cat("cuBLASLt cannot start: status ", status);
    return nullptr;
  }
  return std::unique_ptr<CublasLt>(new CublasLt(api, handle));
}

CublasLt::~CublasLt() {
  plans_.clear();
  api_.destroy(handle_);
}

std::string CublasLt::version() const {
  const std::size_t n = api_.version();
  return cat(n / 10000, ".", n % 10000 / 100, ".", n % 100);
}

CublasLt::Owned CublasLt::layout(DType dtype, std::int64_t rows, std::int64_t columns) const {
  void* made = nullptr;
  require(api_.create_layout(&made, type_of(dtype), static_cast<std::uint64_t>(rows),
                             static_cast<std::uint64_t>(columns), rows),
          "describing a matrix");
  return {made, api_.destroy_layout};
}

void CublasLt::set_product(void* product, int attribute, const void* value,
                           std::size_t bytes) const {
  require(api_.set_product(product, attribute, value, bytes), "describing a matrix product");
}

CublasLt::Plan CublasLt::make_plan(const HalfLinearCall& call,
                                   const CublasWorkspace& workspace) const {
  void* made = nullptr;
  require(api_.create_product(&made, call.dtype == DType::f32 ? kCompute32Pedantic : kCompute32,
                              kFloat32),
          "describing a matrix product");
  Plan plan{.product = {made, api_.destroy_product},
            .weight = layout(call.dtype, call.k, call.n),
            .in = layout(call.dtype, call.k, call.n_rows),
            .out = layout(DType::f32, call.n, call.n_rows),
            .algorithm = {}};
  set_product(made, kTransposeA, &kTransposed, sizeof kTransposed);
  if (call.bias) {
    const std::int32_t type = kFloat32;
    set_product(made, kEpilogue, &kAddBias, sizeof kAddBias);
    set_product(made, kBiasType, &type, sizeof type);
    // The choice looks at its alignment.
    set_product(made, kBiasPointer, &call.bias, sizeof call.bias);
  }
  choose(plan, call, workspace);
  return plan;
}

void CublasLt::choose(Plan& plan, const HalfLinearCall& call,
                      const CublasWorkspace& workspace) const {
  void* made = nullptr;
  require(api_.create_preference(&made), "choosing an algorithm");
  const Owned preference(made, api_.destroy_preference);
  const auto prefer = [&](int attribute, const auto& value) {
    require(api_.set_preference(made, attribute, &value, sizeof value), "choosing an algorithm");
  };
  prefer(kMaxWorkspace, static_cast<std::uint64_t>(workspace.bytes));
  prefer(kReductions, kNoReduction);
  prefer(kAlignmentA, alignment_of(call.weight));
  prefer(kAlignmentB, alignment_of(call.in));
  prefer(kAlignmentC, alignment_of(call.out));
  prefer(kAlignmentD, alignment_of(call.out));
  CublasLtApi::Choice choice{};
  int n = 0;
  const int status = api_.choose(handle_, plan.product.get(), plan.weight.get(), plan.in.get(),
                                 plan.out.get(), plan.out.get(), made, 1, &choice, &n);
  if (status == 0 && n > 0 && choice.status == 0) plan.algorithm = choice.algorithm;
}

CublasLt::Plan& CublasLt::plan_of(const HalfLinearCall& call, const CublasWorkspace& workspace) {
  const Key key{call.n_rows,
                call.n,
                call.k,
                static_cast<std::int64_t>(call.dtype),
                alignment_of(call.bias),
                alignment_of(call.in),
                alignment_of(call.weight),
                alignment_of(call.out),
                workspace.bytes};
  const auto found = plans_.find(key);
  if (found != plans_.end()) return found->second;
  return plans_.emplace(key, make_plan(call, workspace)).first->second;
}

bool CublasLt::matmul(const HalfLinearCall& call, const CublasWorkspace& workspace,
                      cudaStream_t stream) {
  if (call.n_rows == 0 || call.n == 0) return true;
  Plan& plan = plan_of(call, workspace);
  if (!plan.algorithm) return false;
  if (call.bias) set_product(plan.product.get(), kBiasPointer, &call.bias, sizeof call.bias);
  const float alpha = 1, beta = call.accumulate ? 1 : 0;
  require(api_.multiply(handle_, plan.product.get(), &alpha, call.weight, plan.weight.get(),
                        call.in, plan.in.get(), &beta, call.out, plan.out.get(), call.out,
                        plan.out.get(), &*plan.algorithm, workspace.memory,
                        static_cast<std::size_t>(workspace.bytes), stream),
          "a matrix product");
  return true;
}

}  // namespace qaq::cuda
