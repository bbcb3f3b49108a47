# What `cmake --install` puts where, and the package that find_package(hadal) finds.
include(CMakePackageConfigHelpers)

install(TARGETS hadal_engine EXPORT hadalTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/hadal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT hadalTargets NAMESPACE hadal:: FILE hadalConfig.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/hadal)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hadalConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hadalConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/hadal)
