1 problem, marked with !
