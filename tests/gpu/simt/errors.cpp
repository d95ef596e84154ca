#include <string>

#include "tests/gpu/simt/block.h"
#include "tests/gpu/simt/runtime.h"
#include "tests/gpu/simt/simt.h"

namespace simt {
namespace {

struct Errors {
  cudaError_t last = cudaSuccess;
  cudaError_t sticky = cudaSuccess;
  int host_functions = 0;
};

Errors& errors() {
  static Errors instance;
  return instance;
}

std::recursive_mutex& api_mutex() {
  static std::recursive_mutex& instance = *new std::recursive_mutex;
  return instance;
}

struct ErrorText {
  cudaError_t code;
  const char* name;
  const char* text;
};

constexpr ErrorText kTexts[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorLaunchTimeout, "cudaErrorLaunchTimeout", "the launch timed out and was terminated"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress",
     "an illegal memory access was encountered"},
    {cudaErrorIllegalState, "cudaErrorIllegalState",
     "the operation cannot be performed in the present state"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureMerge, "cudaErrorStreamCaptureMerge",
     "operation would result in a merge of separate capture sequences"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "capture was not ended in the same stream as it began"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined",
     "capturing stream has unjoined work"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
    {cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread",
     "attempt to terminate a thread-local capture sequence from another thread"},
    {cudaErrorNotPermitted, "cudaErrorNotPermitted", "operation not permitted"},
};

const ErrorText* text_of(cudaError_t code) {
  for (const ErrorText& text : kTexts) {
    if (text.code == code) return &text;
  }
  return nullptr;
}

}  // namespace

ApiCall::ApiCall() : lock_(api_mutex()) {}

HostFunction::HostFunction() { ++errors().host_functions; }
HostFunction::~HostFunction() { --errors().host_functions; }

cudaError_t standing_error() {
  if (errors().host_functions != 0) return cudaErrorNotPermitted;
  if (const cudaError_t error = device_error(); error != cudaSuccess) return error;
  return errors().sticky;
}

void set_sticky(cudaError_t error) {
  if (errors().sticky == cudaSuccess) errors().sticky = error;
  remember(error);
}

void clear_errors() { errors().last = errors().sticky = cudaSuccess; }

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) errors().last = error;
  return error;
}

void set_report(const char* report) { block().report = report; }

void reset() {
  defer(false);
  time_pieces(false);
  set_schedule(Schedule::kForward);
  set_report("");
  reset_device();
  reset_allocation_limits();
  clear_errors();
}

}  // namespace simt

extern "C" {

cudaError_t cudaPeekAtLastError() {
  const simt::ApiCall call;
  const cudaError_t standing = simt::standing_error();
  return standing != cudaSuccess ? standing : simt::errors().last;
}

cudaError_t cudaGetLastError() {
  const simt::ApiCall call;
  const cudaError_t error = cudaPeekAtLastError();
  simt::errors().last = cudaSuccess;
  return error;
}

const char* cudaGetErrorName(cudaError_t error) {
  const simt::ErrorText* text = simt::text_of(error);
  return text ? text->name : "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  // The shim knows more than a GPU would say.
  const simt::ApiCall call;
  const std::string& report = simt::block().report;
  if (error == cudaErrorLaunchFailure && !report.empty()) return report.c_str();
  const simt::ErrorText* text = simt::text_of(error);
  return text ? text->text : "unrecognized error code";
}
}
