#pragma once

/// Marks a function that kernels call too.
#ifdef __CUDACC__
#define QAQ_HD __host__ __device__
#else
#define QAQ_HD
#endif
